"""A memory has passages of other training stories only; what they mean is what their words mean."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gim.encoder.encoder import Encoder
from pipeline.fit.design import load_band
from pipeline.recall.contexts import ContextFile, Contexts, story_contexts, word_states
from pipeline.recall.features import RecalledFile
from pipeline.recall.memory import Memory, Pool, versions
from pipeline.recall.recall import EVIDENCE, RecallFile
from tests.helpers.recalled import N_ROWS, TEST, Remembering, options_of
from tests.helpers.stories import random_story

FOLDS = {f"s{i}": i % 3 for i in range(6)}
FIRST = 15  # words before the first row; then there are three words a row


@pytest.fixture(scope="module", params=["cosine", "pursuit"])
def own(request):
    return {"n_matches": 6, "n_passages": 50, "weighting": request.param}


@pytest.fixture(scope="module")
def made(tmp_path_factory, language, own):
    return Remembering(tmp_path_factory.mktemp("recall"), language, **own).make()


def test_versions_are_all_folds_left_out_singly_and_in_pairs():
    assert versions(FOLDS) == [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]


def test_no_version_knows_the_folds_it_lacks_nor_a_story_its_own_passages(made):
    file = RecallFile(made.path("recall"))
    names = file.passages()["name"].to_numpy()
    assert not np.isin(names, TEST).any()
    for out in versions(FOLDS):
        hidden = [s for s, fold in FOLDS.items() if fold in out]
        memory = file.memory(out)
        assert len(memory) == 50
        assert not np.isin(names[memory], hidden).any()
        for story, recalled in file.read(out, list(FOLDS)).items():
            assert np.isin(recalled.index, memory).all()
            assert (names[recalled.index] != story).all()
            np.testing.assert_allclose(recalled.weight.sum(axis=1), 1, rtol=1e-5)


def test_words_of_left_out_and_test_stories_change_nothing(made, own, tmp_path, language):
    """Features of the others are the same, whatever those say: held-out words are not known."""
    other = Remembering(tmp_path, language, **own)
    changed = other.words["story"].isin(["s0", "s3", "test"])  # fold 0, and the test story
    other.words.loc[changed, "word"] = "w1"
    other.make()
    for out in [(0,), (0, 1), (0, 2)]:
        known = [s for s, fold in FOLDS.items() if fold != 0]
        for kind in ("passages", "meaning"):
            a, b = (RecalledFile(m.band(kind)[0]).read(out, known) for m in (made, other))
            for story in known:
                np.testing.assert_array_equal(a[story], b[story])
    read = [RecalledFile(m.band("passages")[0]).read((1,), ["s2"])["s2"] for m in (made, other)]
    assert not np.array_equal(*read)  # where fold 0 is known, it matters


def test_later_words_change_no_rows_state(made, own, tmp_path, language):
    other = Remembering(tmp_path, language, **own)
    onset = other.words["onset"]
    other.words.loc[(other.words["story"] == "test") & (onset >= 10 + 21 * 2.0), "word"] = "w1"
    other.make()
    a, b = (RecalledFile(m.band("meaning")[0]).read((), TEST)["test"] for m in (made, other))
    np.testing.assert_array_equal(a[:21], b[:21])
    assert not np.array_equal(a[21], b[21])


@pytest.mark.parametrize("what", ["there", "followed"])
def test_meaning_is_the_weighted_mean_of_the_passages_words(made, what):
    path, _ = made.band("meaning", what=what, span=3)
    values = RecalledFile(path).read((1,), ["s1"])["s1"]
    assert RecalledFile(path).columns() == list("abcde")
    file = RecallFile(made.path("recall"))
    pool, recalled = file.passages(), file.read((1,), ["s1"])["s1"]
    words = {s: w["word"].tolist() for s, w in made.words.groupby("story")}
    for row in (0, 7, 31):
        at = recalled.row.tolist().index(row)
        expected = np.zeros(5)
        for passage, weight in zip(recalled.index[at], recalled.weight[at], strict=True):
            last = FIRST + 3 * (pool["row"][passage] + 1)
            own = words[pool["name"][passage]]
            own = own[last - 3 : last] if what == "there" else own[last : last + 3]
            expected += weight * made.eng1000.vectors(own).mean(axis=0)
        np.testing.assert_allclose(values[row], expected, atol=1e-5)


def test_the_weights_themselves_are_sparse_columns(made, own):
    path, _ = made.band("passages")
    values = RecalledFile(path).read((), ["s0"])["s0"]
    assert values.shape == (N_ROWS, 50)
    number = (values > 0).sum(axis=1)
    assert (number <= 6).all() and number.max() > 1
    assert own["weighting"] == "pursuit" or (number == 6).all()
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)


def test_evidence_names_passages_and_their_words(made):
    table = pd.read_parquet(made.root / "passages.parquet")
    found = table[(table["story"] == "test") & (table["tr"] == 5)]
    assert len(found) == 6 and found["weight"].is_monotonic_decreasing
    first = found.iloc[0]
    words = made.words.query("story == @first.passage_story")["word"].tolist()
    assert first["words"].split()[-3:] == words[FIRST + 3 * first["passage_tr"] :][:3]
    assert first["followed"].split()[:3] == words[FIRST + 3 * (first["passage_tr"] + 1) :][:3]


def test_dense_anchors_weigh_every_passage(tmp_path, language):
    made = Remembering(tmp_path, language, n_matches=None, n_passages=30).make()
    values = RecalledFile(made.band("passages")[0]).read((), ["test"])["test"]
    assert values.shape == (N_ROWS, 30) and (values > 0).sum(axis=1).min() > 20
    table = pd.read_parquet(made.root / "passages.parquet")  # the words of the most alike alone
    own = table[(table["story"] == "test") & (table["tr"] == 5)]
    assert len(own) == EVIDENCE
    np.testing.assert_allclose(own["weight"], np.sort(values[5])[::-1][:EVIDENCE], rtol=1e-2)


def test_meaningless_rows_are_means_of_what_nobody_said(made, own, tmp_path, language):
    """Other words change nothing, other weights do."""
    other = Remembering(tmp_path, language, **own)
    other.words["word"] = other.words["word"].to_numpy()[::-1]
    path, _ = made.band("meaningless", directions=7)
    file, recalled = RecalledFile(path), RecallFile(made.path("recall"))
    values, found = file.values(), recalled.read((0,), ["s1"])["s1"]
    assert values.shape == (len(recalled.passages()), 7)
    expected = np.einsum("rk,rkd->rd", found.weight, values[found.index])
    np.testing.assert_allclose(file.read((0,), ["s1"])["s1"][found.row], expected, atol=1e-5)
    np.testing.assert_array_equal(
        values, RecalledFile(other.make().band("meaningless", directions=7)[0]).values()
    )


def test_medoids_are_passages_each_once(made):
    contexts = ContextFile(made.path("contexts")).read(made.stories)
    pool = Pool.of(contexts, FOLDS)
    memory = Memory.choose(pool, (1,), 30, "medoids", "centre", np.random.default_rng(0))
    assert len(np.unique(memory.index)) == 30
    assert np.isin(memory.index, pool.without((1,))).all()


def test_blocks_of_a_story_never_remember_each_other():
    from pipeline.recall.recall import Searcher

    rng = np.random.default_rng(0)
    names = ["a-1", "a-2", "b", "c"]
    parts = {
        s: Contexts(
            rng.standard_normal((9, 4)).astype(np.float32), np.arange(9), [""] * 9, [""] * 9
        )
        for s in names
    }
    folds = {"a-1": 0, "a-2": 1, "b": 2, "c": 0}
    options = options_of("passages", n_matches=4).own
    searcher = Searcher(Pool.of(parts, folds), folds, options, {"a": {"n": 3, "gap": 1}}, 0)
    memory = searcher.memory(())
    found = searcher.search(memory, "a-3", parts["a-1"]).index
    assert set(searcher.pool.name[found].ravel()) <= {"b", "c"}


def test_a_corpus_is_a_memory_that_no_fold_has(tmp_path, language):
    text = " ".join(f"w{k}" for k in np.random.default_rng(0).integers(0, 30, 500))
    (tmp_path / "corpus.txt").write_text(text)
    made = Remembering(
        tmp_path, language, n_matches=3, memory="corpus", corpus_passages=25,
        corpus=[str(tmp_path / "corpus.txt")],
    ).make()  # fmt: skip
    file = RecallFile(made.path("recall"))
    pool = file.passages()
    assert len(pool) == 25 and set(pool["name"]) == {"corpus"}
    assert text.find(pool["there"][3] + " " + pool["followed"][3]) >= 0
    path, _ = made.band("meaning")
    for out in [(0,), (0, 1)]:
        a, b = (RecalledFile(path).read(o, ["s1"])["s1"] for o in ((), out))
        np.testing.assert_array_equal(a, b)
    both = options_of("passages", **made.options.own | {"memory": "both", "n_passages": None})
    made.options = both
    names = set(RecallFile(made.search().path("recall")).passages()["name"])
    assert names == {"corpus", *FOLDS}


def test_the_design_of_a_fold_knows_nothing_of_it(made, own, tmp_path, language):
    """Memory, scaling and components, all by the other folds' stories."""
    other = Remembering(tmp_path, language, **own)
    other.words.loc[other.words["story"].isin(["s0", "s3"]), "word"] = "w2"
    other.make()
    designs = []
    for one in (made, other):
        path, options = one.band("meaning", span=2)
        band = load_band(
            "meaning", path, options=options, delays=(1, 2), train=list(FOLDS), test=TEST
        )
        assert band.folds == FOLDS
        designs.append(band.without((0,)))
    for story in ("s1", "s5"):
        np.testing.assert_array_equal(*(design.rows(story) for design in designs))
    assert not np.array_equal(*(design.rows("s0") for design in designs))


def test_a_rows_state_is_the_mean_over_the_words_of_that_row(language):
    options = options_of("passages", encoder=language["gim"]["encoder"]).own
    assert options["pooled"] == "row"
    story = random_story(np.random.default_rng(3), N_ROWS)
    silent = np.isin(story.grid.row_of(story.words["onset"].to_numpy()), [7, 8])
    story = replace(story, words=story.words[~silent].reset_index(drop=True))
    row = story.grid.row_of(story.words["onset"].to_numpy())
    words = story.words["word"].tolist()
    every = word_states(words, np.arange(len(words)), np.ones(len(words), int), options)
    found = story_contexts(story, options)
    for state, at in zip(found.states, found.row, strict=True):
        said = max(r for r in row if r <= at)  # a silent row has the last one's
        np.testing.assert_allclose(state, every[row == said].mean(axis=0), atol=1e-6)
    assert {6, 7, 8, 9} <= set(found.row.tolist())


def test_states_are_means_over_the_last_words(language):
    options = options_of("passages", encoder=language["gim"]["encoder"]).own
    one = np.ones(10, int)
    words, at = [*"abcdefghij"], np.array([0, 2, 9])
    single = word_states(words, np.arange(10), one, options)
    np.testing.assert_array_equal(word_states(words, at, one[:3], options), single[at])
    expected = [single[:1].mean(0), single[:3].mean(0), single[6:10].mean(0)]
    found = word_states(words, at, 4 * one[:3], options)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_states_are_what_an_encoder_foretells_where_that_is_wanted(tmp_path):
    taught = Encoder.create(width=16, heads=2, layers=1, window=4, dim=8, state_dim=3)
    taught.save_pretrained(tmp_path / "taught")
    options = options_of("passages", encoder=str(tmp_path / "taught"), output="states").own
    found = word_states([*"abc"], np.array([2]), np.ones(1, int), options)
    np.testing.assert_allclose(found, taught.vectors("a b c", [5], "states"), atol=1e-5)
