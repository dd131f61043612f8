"""Stories that stand in a text which the run knows: told, refused, measured once."""

import json

import pytest

from gim.infinigram.index import build_index
from gim.text.tokenizer import load_tokenizer
from pipeline.core.errors import ProblemError
from pipeline.validation import contamination as module
from pipeline.validation.contamination import contamination
from pipeline.validation.dataset import check_dataset
from pipeline.validation.texts import text_files
from pipeline.validation.validate import validate
from tests.helpers.datasets import make_config, write_dataset
from tests.helpers.faults import SUBJECT, set_textgrid

STORIES = ["one", "two", "three", "four"]
SPOKEN = {story: [f"{story}{i}" for i in range(50)] for story in STORIES}


def printed(words):
    """Words as a book has them: upper case and punctuation, beside other text."""
    return f"A title. {' '.join(words).title()}! And what comes after it."


def write_corpus(path, *texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


@pytest.fixture
def root(tmp_path):
    """A dataset of four stories, the working folder."""
    write_dataset(tmp_path, STORIES, [SUBJECT])
    for story, words in SPOKEN.items():
        times = [(i, i + 0.5, word) for i, word in enumerate(words)]
        set_textgrid(tmp_path, story, *times)
    (tmp_path / "basis.txt").write_text("title\n")
    return tmp_path


def configure(root, corpora, **others):
    """Four is the test story."""
    eng1000 = {"corpora": list(corpora), "basis_words": str(root / "basis.txt")}
    return make_config(root, STORIES, {SUBJECT: None}, eng1000=eng1000, **others)


def shares(config):
    """The table of shares."""
    return contamination(config, check_dataset(config).words).table


def told(config):
    """Problems and warnings, as (file, what)."""
    try:
        warnings = validate(config)
    except ProblemError as error:
        return [(p.file, p.what) for p in error.problems], []
    return [], [(w.file, w.what) for w in warnings]


def test_a_test_story_in_a_corpus_is_refused_unless_it_is_named(root):
    corpus = write_corpus(root / "a.jsonl", "nothing", printed(SPOKEN["four"]))
    what = "test stories stand in it: four (100%) of runs of 8 words"
    assert told(configure(root, [corpus])) == ([(corpus, what)], [])
    allowed = configure(root, [corpus], allow={"contaminated": ["four"]})
    problems, warnings = told(allowed)
    assert problems == []
    assert warnings == [(corpus, "stories share words with it: four (100%) of runs of 8 words")]


def test_a_training_story_in_a_corpus_is_a_warning(root):
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["two"][:27]))
    problems, warnings = told(configure(root, [corpus]))
    assert problems == []
    assert warnings == [(corpus, "training stories stand in it: two (47%) of runs of 8 words")]


@pytest.mark.parametrize(("n_words", "n_warnings"), [(7, 0), (8, 1)])
def test_one_run_of_eight_words_is_told_and_seven_words_are_not(root, n_words, n_warnings):
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["four"][:n_words]))
    problems, warnings = told(configure(root, [corpus]))
    assert (problems, len(warnings)) == ([], n_warnings)


def test_the_documents_of_an_index_are_read(root):
    source = write_corpus(root / "a.jsonl", "none", printed(SPOKEN["four"]))
    build_index([source], load_tokenizer(), root / "index", progress=False)
    bands = {"infinigram": {"index": str(root / "index")}}
    config = configure(root, [], features=bands, models={"eng1000": ["infinigram"]})
    (problem,), _ = told(config)
    what = "test stories stand in it: four (100%) of runs of 8 words"
    assert problem == (str(root / "index"), what)
    assert text_files(config) == [root / "index" / "gim.json"]
    (root / "results/unit/contamination.json").unlink()
    (root / "index" / "offset.0").write_bytes(b"")
    assert "truncated" in told(config)[0][0][1]


def test_the_corpora_of_an_index_that_the_run_makes_are_read(root):
    source = write_corpus(root / "a.jsonl", printed(SPOKEN["four"]))
    config = configure(
        root,
        [],
        features={"infinigram": {"index": "results/unit/lm/index"}},
        models={"eng1000": ["infinigram"]},
        lm={"train": [source], "evaluate": [source]},
    )
    assert [file for file, _ in told(config)[0]] == [source]


def test_the_card_of_an_encoder_and_its_teacher_are_read(root):
    """What they list and is here; what is not, and a model without a card, is named as unknown."""
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["four"]))
    for name, corpora, teacher in [
        ("encoder", ["gone.jsonl"], "teacher"),
        ("teacher", ["a.jsonl"], "far/away"),
    ]:
        (root / name).mkdir()
        (root / name / "model.safetensors").write_text("weights")
        card = {"data": {"corpora": corpora}, "teacher": teacher}
        (root / name / "training.json").write_text(json.dumps(card))
    bands = {"gim": {"encoder": "encoder"}}
    config = configure(root, [], features=bands, models={"eng1000": ["gim"]})
    table = shares(config)
    unknown = table[table["share"].isna()]
    assert unknown["source"].tolist() == ["gone.jsonl", "far/away"]
    measured = table.dropna(subset=["share"])
    assert set(measured["source"]) == {"a.jsonl"} and corpus.endswith("a.jsonl")
    assert dict(zip(measured["story"], measured["share"], strict=True)) == {
        "one": 0, "two": 0, "three": 0, "four": 1,
    }  # fmt: skip
    assert [file for file, _ in told(config)[0]] == ["a.jsonl"]


def test_blocks_have_the_share_of_their_story(root):
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["four"]))
    config = make_config(
        root,
        ["one", "two", "four-1", "four-2"],
        {SUBJECT: None},
        blocks={"four": {"n": 2, "gap": 4}},
        eng1000={"corpora": [corpus], "basis_words": str(root / "basis.txt")},
    )
    table = shares(config)
    assert dict(zip(table["story"], table["share"], strict=True)) == {
        "one": 0,
        "two": 0,
        "four-1": 1,
        "four-2": 1,
    }


def test_what_was_measured_is_kept_until_a_text_or_a_story_changes(root, monkeypatch):
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["two"]))
    config = configure(root, [corpus])
    read = []
    words = module.Text.words
    monkeypatch.setattr(module.Text, "words", lambda self: read.append(self.name) or words(self))
    first = shares(config)
    assert first.equals(shares(config))
    assert read == [corpus]
    (root / "results/unit/contamination.json").write_text("{damaged")
    assert first.equals(shares(config))
    assert len(read) == 2
    write_corpus(root / "a.jsonl", printed(SPOKEN["two"][:20]))
    second = shares(config)
    assert second["share"].max() == pytest.approx(13 / 43)
    set_textgrid(root, "two", *[(i, i + 1, word) for i, word in enumerate(SPOKEN["two"][:20])])
    assert shares(config)["share"].max() == 1
    assert len(read) == 4


def test_no_text_is_read_where_stories_are_simulated_or_bands_know_none(root):
    corpus = write_corpus(root / "a.jsonl", printed(SPOKEN["four"]))
    config = configure(root, [corpus], features={"wordrate": {}}, models={"eng1000": ["wordrate"]})
    assert shares(config).empty
    config = configure(root, [corpus], simulate={})
    assert shares(config).empty
    assert not (root / "results").exists()


@pytest.mark.shared
def test_three_talks_of_the_dataset_are_found_in_the_corpus_that_holds_them(shared):
    """Beside a story that it does not hold."""
    root = shared / "realdata" / "ds003020-pcs"
    talks = {
        "igrewupinthewestborobaptistchurch": 0.969,
        "whyimustspeakoutaboutclimatechange": 0.870,
        "thesurprisingthingilearnedsailingsoloaroundtheworld": 0.841,
    }
    config = make_config(
        root,
        [*talks, "wheretheressmoke"],
        {"UTS03": None},
        mask=None,
        eng1000={"corpora": [str(shared / "corpora" / "ted.train.jsonl.xz")]},
    )
    table = shares(config).set_index("story")
    for story, share in talks.items():
        assert table.loc[story, "share"] == pytest.approx(share, abs=0.001)
    assert table.loc["wheretheressmoke", "share"] < 0.002
