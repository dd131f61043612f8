"""A passage stands for another band's row there, of the version that knows no left-out story."""

import shutil

import h5py
import numpy as np
import pytest

from pipeline.bands.compute import BandFile
from pipeline.config.load import complete
from pipeline.config.models import needed_bands, searched_memories, used_bands
from pipeline.config.results import Results
from pipeline.core.errors import ProblemError
from pipeline.fit.design import load_band
from pipeline.recall import features
from pipeline.recall.checks import MemoryAudit
from pipeline.recall.features import RecalledFile
from pipeline.recall.recall import RecallFile
from tests.helpers.recalled import TEST, Remembering

OWN = {"n_matches": 4, "n_passages": 40, "weighting": "pursuit"}
OUTS = [(), (0,), (1, 2)]


@pytest.fixture
def made(tmp_path, language):
    return Remembering(tmp_path / "run", language, **OWN).make()


@pytest.fixture(params=["heard", "meaning"])
def other(made, request):
    """A band of the stimulus, and one made of a memory."""
    return made.heard() if request.param == "heard" else made.band("meaning", span=3)[0]


def rows_of(path, out, stories):
    if path.stem == "heard":
        return BandFile(path).read(stories)
    return RecalledFile(path).read(out, stories)


def test_rows_are_weighted_means_of_the_other_bands_rows_at_passages(made, other):
    path, _ = made.through(other)
    recall = RecallFile(made.path("recall"))
    pool = recall.passages()
    for out in OUTS:
        asking = ["s1", "s4"] if out else ["s1", "s4", "test"]
        rows = rows_of(other, out, list(made.folds))
        found = RecalledFile(path).read(out, asking)
        for story, recalled in recall.read(out, asking).items():
            expected = np.zeros_like(found[story])
            for row, index, weight in zip(
                recalled.row, recalled.index, recalled.weight, strict=True
            ):
                for j, w in zip(index, weight, strict=True):
                    expected[row] += w * rows[pool["name"][j]][pool["row"][j]]
            np.testing.assert_allclose(found[story], expected, atol=1e-6)
            assert np.ptp(found[story], axis=0).min() > 0


def test_columns_are_named_as_those_of_the_other_band(made, other):
    assert RecalledFile(made.through(other)[0]).columns() == list("abcde")


def test_the_other_bands_rows_are_read_once_for_all_stories(made, other, monkeypatch):
    """And no more of them is kept than the passages of the memory."""
    sizes = []

    def counting(*given, original=features.rows_at):
        sizes.append(len(given[2]))
        return original(*given)

    monkeypatch.setattr(features, "rows_at", counting)
    RecalledFile(made.through(other)[0]).read((0,), list(made.folds))
    assert sizes == [OWN["n_passages"]]


@pytest.mark.parametrize("kind", ["heard", "meaning"])
def test_words_of_left_out_and_test_stories_change_nothing(made, kind, tmp_path, language):
    changed = Remembering(tmp_path / "changed", language, **OWN)
    hidden = changed.words["story"].isin(["s0", "s3", "test"])  # fold 0, and the test story
    changed.words.loc[hidden, "word"] = "w1"
    changed.make()
    known = ["s1", "s2", "s4", "s5"]

    def read(one, out, stories):
        path = one.heard() if kind == "heard" else one.band("meaning")[0]
        return RecalledFile(one.through(path)[0]).read(out, stories)

    for out in [(0,), (0, 1), (0, 2)]:
        a, b = (read(one, out, known) for one in (made, changed))
        for story in known:
            np.testing.assert_array_equal(a[story], b[story])
    a, b = (read(one, (1,), ["s2"])["s2"] for one in (made, changed))
    assert not np.array_equal(a, b)  # where fold 0 is known, it matters


def test_the_design_of_a_fold_reads_the_rows_of_its_own_version(made, other):
    path, options = made.through(other)
    train = list(made.folds)
    band = load_band("t", path, options=options, delays=(1,), train=train, test=TEST)
    again = RecalledFile(path).read((0,), train)["s1"]
    found = band.without((0,)).values["s1"]
    expected = (again - again.mean(axis=0)) / again.std(axis=0)
    ratio = found / expected
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)


def test_both_files_are_found_where_the_results_were_moved_to(made, other, tmp_path):
    path, _ = made.through(other)
    before = RecalledFile(path).read((0,), ["s1"])["s1"]
    shutil.move(made.root, tmp_path / "moved")
    after = RecalledFile(tmp_path / "moved" / path.name).read((0,), ["s1"])["s1"]
    np.testing.assert_array_equal(before, after)


def audit(made, path, other):
    return MemoryAudit(
        band="memory", options=made.options, contexts=made.path("contexts"),
        recall=made.path("recall"), folds=made.folds, test=TEST, blocks={}, seed=0,
        features={"t": path}, through={"t": other},
    ).leaks(["s1", "test"])  # fmt: skip


def test_the_audit_finds_nothing_in_what_is_written(made, other):
    assert audit(made, made.through(other)[0], other) == []


def test_the_audit_finds_rows_of_another_band(made, other):
    """The configured band was put in another's place, such as one made of BOLD."""
    path, _ = made.through(other)
    with BandFile.create(made.path("bold")) as file:
        for story in made.stories:
            file.write(story, np.random.default_rng(0).standard_normal((40, 5)))
    with h5py.File(path, "a") as tampered:
        tampered.attrs["through"] = "bold.h5"
    leaks = audit(made, path, other)
    assert any("not those of what it recalls" in leak for leak in leaks)


def test_the_audit_finds_rows_that_know_a_left_out_fold(made, monkeypatch):
    """The other band's rows of the memory of all stories, whatever fold is left out."""
    other, _ = made.band("meaning")
    path, _ = made.through(other)
    original = features.rows_at
    monkeypatch.setattr(features, "rows_at", lambda path, _, places: original(path, (), places))
    assert any("not those of what it recalls" in leak for leak in audit(made, path, other))


FEATURES = {
    "eng1000": {}, "random": {}, "drift": {}, "confounds": {"path": "t.tsv"},
    "search": {"kind": "passages"}, "meaning": {"of": "search"}, "meaningless": {"of": "search"},
    "corpus": {"kind": "passages", "memory": "corpus", "corpus": ["c.txt"]},
    "again": {"kind": "through", "of": "search", "band": "meaning"},
}  # fmt: skip


def configured(models=(), **band):
    return complete(
        {
            "name": "n", "data_root": "d", "subjects": {"S1": {}},
            "stories": {"train": ["a", "b", "c"], "test": ["t"]}, "fit": {"n_folds": 3},
            "features": {**FEATURES, "b": {"kind": "through", "of": "search", **band}},
            "models": {"eng1000": ["eng1000"], **dict(models)},
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("band", "place", "what", "remedy"),
    [
        ({}, "features.b.band", "None is not a band", "name a band of the stimulus"),
        ({"band": "x"}, "features.b.band", "'x' is not a band", "name a band of the stimulus"),
        ({"band": [1]}, "features.b.band", "[1] is not a band", "name a band of the stimulus"),
        *(
            ({"band": name}, "features.b.band", f"'{name}' is made of what was", "kind meaning")
            for name in ("random", "drift", "confounds")
        ),
        *(
            ({"band": name}, "features.b.band", f"'{name}' says nothing of its own", "kind meaning")
            for name in ("search", "again", "b")
        ),
        (
            {"band": "eng1000", "of": "corpus"},
            "features.b.of", "'corpus' has passages of a corpus", "whose memory is training",
        ),
    ],
)  # fmt: skip
def test_a_band_without_rows_of_words_at_passages_is_refused(band, place, what, remedy):
    with pytest.raises(ProblemError) as caught:
        configured(**band)
    (problem,) = caught.value.problems
    assert problem.place.endswith(place)
    assert what in problem.what and remedy in problem.remedy


def test_a_band_is_as_readable_as_the_one_it_goes_through():
    configured({"readable": ["b"]}, band="meaning")
    configured({"other": ["b"]}, band="meaningless")
    with pytest.raises(ProblemError, match="'b' is a black box or a control"):
        configured({"readable": ["b"]}, band="meaningless")
    with pytest.raises(ProblemError, match="is not a band"):
        configured({"readable": ["b"]}, band=["meaning"])


def test_what_stands_for_passages_is_made_and_read_though_no_model_has_it():
    config = configured({"m": ["b"]}, band="meaning")
    assert used_bands(config) == ["eng1000", "search", "meaning", "b"] == needed_bands(config)
    assert searched_memories(config) == {"search": ["search", "meaning", "b"]}
    files = Results(config, "r")
    assert files.all_through("S1") == {"b": files.band("S1", "meaning")}
    recall, meaning = files.recall("S1", "search"), files.band("S1", "meaning")
    assert files.read_with("S1", "b") == [recall, meaning]
    assert files.read_with("S1", "meaning") == [recall]
    assert files.read_with("S1", "eng1000") == []
