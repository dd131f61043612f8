"""GIM's features as scikit-learn transformers."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import check_estimator

from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.induction.columns import columns
from gim.induction.reading import read
from gim.sklearn import EncoderFeatures, InductionFeatures, WeighedFeatures
from gim.text.tokenizer import load_tokenizer
from gim.text.words import join_words
from gim.weighing.model import WeightedGIM
from gim.weighing.reading import read_words
from gim.weighing.weights import SOURCES

WORDS = ["we", "went", "to", "the", "sea", "and", "we", "went", "to", "the", "shop"]
STORIES = [WORDS, ["the", "sea"], []]
KINDS = (InductionFeatures, WeighedFeatures, EncoderFeatures)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Folder of a small encoder."""
    folder = tmp_path_factory.mktemp("encoder") / "small"
    Encoder.create(width=16, dim=8, layers=1, heads=2).save_pretrained(folder)
    return str(folder)


def expected(kind, words, encoder):
    loaded = Encoder.from_pretrained(encoder)
    if kind is InductionFeatures:
        return columns(read(words, loaded, 3))
    if kind is EncoderFeatures:
        return loaded.vectors(*join_words(words))
    found = read_words(WeightedGIM(load_tokenizer(), encoder=loaded), words)
    return np.column_stack([found.surprisal, found.entropy, found.shares])


def made(kind, encoder, **options):
    return kind(encoder=encoder, **{"tau": 3} if kind is InductionFeatures else {}, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_a_word_as_the_library_gives_it(kind, encoder):
    transformer = made(kind, encoder)
    found = transformer.fit_transform(STORIES)
    assert len(found) == len(STORIES)
    for words, values in zip(STORIES, found, strict=True):
        np.testing.assert_array_equal(values, expected(kind, words, encoder))
        assert values.shape == (len(words), len(transformer.get_feature_names_out()))
    stacked = transformer.set_params(stack=True).transform(STORIES)
    np.testing.assert_array_equal(stacked, np.concatenate(found))


def test_columns_are_named():
    assert InductionFeatures().get_feature_names_out()[0] == "surprisal"
    assert WeighedFeatures().get_feature_names_out()[2] == f"share of {SOURCES[0]}"
    assert EncoderFeatures().get_feature_names_out()[-1] == "encoder 128"


@pytest.mark.parametrize("kind", KINDS)
def test_copies_give_the_same_and_carry_no_model(kind, encoder):
    transformer = made(kind, encoder, stack=True).fit(STORIES)
    packed = pickle.dumps(transformer)
    assert len(packed) < 1000
    wanted = transformer.transform(STORIES)
    for other in (clone(transformer), pickle.loads(packed)):
        assert other.get_params() == transformer.get_params()
        np.testing.assert_array_equal(other.transform(STORIES), wanted)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a text", "give a list of stories"),
        (3, "give a list of stories"),
        (["one", "story"], r"story 0 is 'one'; each story must be a list of words: give \[words\]"),
        ([["fine"], ["not", 2.5]], r"story 1, word 1 is 2\.5, which is no word"),
    ],
)
def test_what_is_no_list_of_stories_is_refused(given, said, encoder):
    for call in (InductionFeatures(encoder).fit, InductionFeatures(encoder).transform):
        with pytest.raises(InputError, match=said):
            call(given)


def test_what_cannot_be_loaded_is_said_by_fit(tmp_path):
    with pytest.raises(InputError, match="not a saved encoder"):
        EncoderFeatures(str(tmp_path)).fit(STORIES)


class OfNumbers:
    """Makes a transformer read the numbers that scikit-learn checks with: a row is a word."""

    def fit(self, X, y=None):
        return super().fit(spoken(X), y)

    def transform(self, X):
        return super().transform(spoken(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        return tags


def spoken(X):
    """One story, of which each row's first number is a word."""
    return [[f"{row[0]:.0f}" for row in check_array(X)]]


class InductionOfNumbers(OfNumbers, InductionFeatures):
    pass


class WeighedOfNumbers(OfNumbers, WeighedFeatures):
    pass


class EncoderOfNumbers(OfNumbers, EncoderFeatures):
    pass


CONTEXT = "what a word gives depends on the words before it"
FAILS = {
    "check_methods_subset_invariance": CONTEXT,
    "check_methods_sample_order_invariance": CONTEXT,
}


@pytest.mark.parametrize("kind", [InductionOfNumbers, WeighedOfNumbers, EncoderOfNumbers])
def test_scikit_learn_finds_nothing_else_amiss(kind, encoder):
    done = check_estimator(
        kind(encoder=encoder, stack=True), expected_failed_checks=FAILS, on_fail=None
    )
    passed = {d["check_name"] for d in done if d["status"] == "passed"}
    failed = {d["check_name"] for d in done if d["status"] == "xfail"}
    wrong = {d["check_name"]: d["exception"] for d in done if d["status"] == "failed"}
    assert not wrong
    assert failed == set(FAILS)
    assert len(passed) > 25
