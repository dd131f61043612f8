"""Words of stories that the lexicon does not know: told, and refused where there are many."""

import h5py
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.embedding.eng1000 import Eng1000
from pipeline.validation.coverage import check_coverage, lookups
from pipeline.validation.validate import validate
from tests.helpers.faults import eng1000, set_textgrid

KNOWN = [f"known{i}" for i in range(20)]
UNKNOWN = [f"fremd{i}" for i in range(20)]


def spread(labels):
    """Labels evenly over the minute that is scanned."""
    times = np.linspace(0, 58, len(labels) + 1).tolist()
    return list(zip(times[:-1], times[1:], labels, strict=True))


def set_vocabulary(root, words):
    with h5py.File(eng1000(root), "w") as file:
        file["data"] = np.random.default_rng(0).standard_normal((985, len(words)))
        file["vocab"] = np.array([word.encode() for word in words])


@pytest.fixture
def spoken(config, tmp_path, stories):
    """Give all stories these labels, in orders of their own; returns the configuration."""

    def speak(labels):
        for number, story in enumerate(stories, start=1):
            own = list(labels)
            own[-1], own[-number] = own[-number], own[-1]
            set_textgrid(tmp_path, story, *spread(own))
        return config

    set_vocabulary(tmp_path, KNOWN)
    return speak


def only_problem(config):
    with pytest.raises(ProblemError) as caught:
        validate(config)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("spell", "how"),
    [
        (lambda w: repr(w.encode()), "written as Python's bytes, as \"b'known0'\""),
        (lambda w: f"{w}  ", "padded with blanks or ends of line, as 'known0  '"),
        (lambda w: f"{w}\n", "padded with blanks or ends of line, as 'known0\\n'"),
        (lambda w: f"{w}_DT", "tagged with their part of speech, as 'known0_DT'"),
        (lambda w: f'"{w}"', "in quotation marks, as "),
        (lambda w: f"\u0120{w}", "marked as pieces of a tokenizer"),
        (lambda w: f"/c/en/{w}", "addresses of ConceptNet"),
    ],
    ids=["bytes", "padded", "newline", "tag", "quoted", "pieces", "conceptnet"],
)
def test_a_vocabulary_that_is_spelt_otherwise(spoken, tmp_path, spell, how):
    config = spoken(KNOWN)
    set_vocabulary(tmp_path, [spell(word) for word in KNOWN])
    problem = only_problem(config)
    assert (problem.file, problem.place) == (str(eng1000(tmp_path)), "vocab")
    assert f"20 of 20 words are {how}" in problem.what
    with pytest.raises(ProblemError, match="no story will find them"):
        Eng1000.load(eng1000(tmp_path))


def test_a_few_words_may_look_odd(spoken, tmp_path):
    set_vocabulary(tmp_path, [*KNOWN, "a_AB", "'tis'", " x", "b'a'"])
    assert validate(spoken(KNOWN)) == []


def test_stories_in_another_language_are_refused(spoken, tmp_path):
    problem = only_problem(spoken([*UNKNOWN, *KNOWN[:5]]))
    assert problem.file == str(eng1000(tmp_path))
    assert problem.place == "words of one, two, three, four"
    assert "knows 20% of the words" in problem.what
    assert "not 'fremd0', 'fremd1'" in problem.what
    assert "such as 'known0', 'known1'" in problem.what


def test_one_such_story_among_others(spoken, tmp_path):
    config = spoken(KNOWN)
    set_textgrid(tmp_path, "four", *spread([*UNKNOWN, *KNOWN[:5]]))
    assert only_problem(config).place == "words of four"


def test_words_whose_vectors_are_zeros_are_unknown(spoken, tmp_path):
    config = spoken(KNOWN)
    with h5py.File(eng1000(tmp_path), "r+") as file:
        file["data"][:, 4:] = 0
    assert "knows 20% of the words" in only_problem(config).what


def test_many_unknown_words_are_a_warning(spoken):
    (warning,) = validate(spoken([*KNOWN, *UNKNOWN[:10]]))
    assert "knows 67% of the words" in warning.what
    assert validate(spoken([*KNOWN, *UNKNOWN[:4]])) == []


def test_the_bounds_are_those_of_the_configuration(spoken):
    config = spoken(KNOWN + UNKNOWN)
    config["coverage"] = {"error": 0.6, "warning": 0.9}
    assert "`coverage.error`" in only_problem(config).remedy
    config["coverage"] = {"error": 0.0, "warning": 0.0}
    assert validate(config) == []


def test_what_the_lexicon_knows_is_logged(spoken, caplog):
    with caplog.at_level("INFO"):
        validate(spoken([*KNOWN, *KNOWN, *UNKNOWN[:4]]))
    said = "the lexicon of eng1000 knows 90.9 % of 44 words, 83.3 % of 24 different ones"
    assert f"words of one: {said}" in caplog.messages


def test_only_bands_of_models_are_asked_and_blocks_count_once(spoken):
    config = spoken(UNKNOWN)
    config["features"]["wordrate"] = {}
    config["models"] = {"rate": ["wordrate"]}
    assert validate(config) == []
    config["features"]["mismatch"] = {"kind": "mismatch", "downsample": "sum"}
    config["models"]["more"] = ["eng1000", "mismatch"]
    config["blocks"] = {"long": {"n": 2, "gap": 4}}
    (found,) = lookups(config, {"long-1": UNKNOWN, "long-2": UNKNOWN}, built=False)
    assert found.bands == ("eng1000", "mismatch")
    (row,) = found.rows()
    assert (row["story"], row["tokens"], row["n_types"]) == ("long", 0.0, 20)
    (problem,) = check_coverage([found], config["coverage"]).problems
    assert problem.place == "words of long"


def test_a_lexicon_that_the_run_builds_is_asked_when_it_is_built(spoken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, words = spoken(KNOWN), {"one": KNOWN}
    config["eng1000"]["corpora"] = ["text.jsonl"]
    built = tmp_path / "results" / "unit" / "english1000.hf5"
    Eng1000(np.eye(3, 20, dtype=np.float32), KNOWN).save(built)  # of a corpus that knows three
    assert lookups(config, words, built=False) == []
    (found,) = lookups(config, words, built=True)
    assert found.stories["one"].known_types == 3
