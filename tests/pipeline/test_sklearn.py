"""Features of words brought to TRs, where scikit-learn and himalaya take them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from himalaya.kernel_ridge import ColumnKernelizer, Kernelizer
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from gim.errors import InputError
from pipeline.bands.registry import BandOptions
from pipeline.features import wordrate
from pipeline.fit.design import make_band
from pipeline.sklearn import ToRows
from tests.helpers.stories import random_story, story

DELAYS = (1, 2, 4)
STORIES = [
    random_story(np.random.default_rng(seed), n, name=f"s{seed}") for seed, n in [(1, 60), (2, 45)]
]


def letters(stories):
    return [np.array([[len(word), word.count("1")] for word in words], float) for words in stories]


def ones(stories):
    return [np.ones((len(words), 1)) for words in stories]


def names(transformer, given):
    return ["letters", "ones in it"]


LETTERS = FunctionTransformer(letters, feature_names_out=names)


def test_rows_are_those_of_the_design():
    """But for the one factor of the band (`Band.weights`)."""
    options = BandOptions("wordrate", 0, dict(wordrate.KIND.options))
    values = {s.name: wordrate.KIND.compute(s, options.own) for s in STORIES}
    band = make_band("wordrate", values, options, DELAYS, list(values))
    rows = ToRows(
        FunctionTransformer(ones), options.own["downsample"], delays=DELAYS
    ).fit_transform(STORIES)
    wanted = np.concatenate([band.rows(s.name) for s in STORIES]) / band.weights[0]
    np.testing.assert_allclose(rows, wanted, rtol=1e-5, atol=1e-6)


def test_words_are_filtered_scaled_and_delayed_within_their_story():
    rows = ToRows(LETTERS, delays=DELAYS).fit_transform(STORIES)
    assert rows.shape == (60 + 45, 3 * 2)
    second = rows[60:]
    plain = STORIES[1].to_rows(letters([STORIES[1].words["word"]])[0], "lanczos")
    np.testing.assert_allclose(
        second[4:, 4:], (plain[:-4] - plain.mean(0)) / plain.std(0), rtol=1e-4, atol=1e-5
    )
    assert (second[:4, 4:] == 0).all()
    raw = ToRows(LETTERS, zscore=False, delays=(0,)).fit_transform(STORIES)
    np.testing.assert_allclose(raw[60:], plain, rtol=1e-6)


def test_columns_say_what_and_when():
    found = ToRows(LETTERS, delays=(1, 3)).fit(STORIES).get_feature_names_out()
    assert found.tolist() == [
        "letters, 1 TR", "ones in it, 1 TR", "letters, 3 TR", "ones in it, 3 TR",
    ]  # fmt: skip


def test_a_transformer_that_stacks_stories_is_taken_as_well():
    stacks = FunctionTransformer(lambda stories: np.concatenate(letters(stories)))
    found = ToRows(stacks).fit_transform(STORIES)
    np.testing.assert_array_equal(found, ToRows(LETTERS).fit_transform(STORIES))


def test_copies_give_the_same():
    fitted = ToRows(LETTERS).fit(STORIES)
    wanted = fitted.transform(STORIES)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(STORIES), wanted)
    np.testing.assert_array_equal(clone(fitted).fit_transform(STORIES), wanted)


def test_bands_go_into_a_column_kernelizer():
    table = pd.DataFrame({"story": STORIES})
    kernelizer = ColumnKernelizer(
        [
            ("letters", ToRows(LETTERS), "story"),
            (
                "rate",
                make_pipeline(ToRows(FunctionTransformer(ones), "sum"), Kernelizer()),
                "story",
            ),
        ]
    )
    kernels = kernelizer.fit_transform(table)
    assert kernels.shape == (2, 105, 105)
    rows = ToRows(LETTERS).fit_transform(STORIES)
    np.testing.assert_allclose(kernels[0], rows @ rows.T, rtol=1e-4, atol=1e-3)
    new = kernelizer.transform(table[1:])
    np.testing.assert_allclose(new, kernels[:, 60:], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        ({"downsample": "linear"}, STORIES, "'linear'; use one of lanczos, average, sum"),
        ({"delays": (1, -2)}, STORIES, r"delays are \[1, -2\]"),
        ({"delays": ()}, STORIES, r"delays are \[\]"),
        ({}, [], "give at least one"),
        ({}, [["some", "words"]], r"X\[0\] is 'some', which is no Story"),
        ({"words": FunctionTransformer(lambda s: [np.ones((1, 1))])}, STORIES, "a row a word"),
    ],
)
def test_what_is_wrong_is_said(options, given, said):
    with pytest.raises(InputError, match=said):
        ToRows(**({"words": LETTERS} | options)).fit_transform(given)


class RowsOfNumbers(ToRows):
    """Reads the numbers that scikit-learn checks with: a row is a TR, in which one word is said."""

    def __init__(self, words=None, delays=(0,)):
        super().__init__(words, delays=delays)

    def fit(self, X, y=None):
        return super().fit(spoken(validate_data(self, X)), y)

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(spoken(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


def spoken(X):
    """One story, of which each row's first number is a word."""
    return [story([f"{row[0]:.2f}" for row in X], n_rows=len(X), words_per_row=1)]


SERIES = "rows are a time series: filtered and scaled within a story"
FAILS = {
    "check_methods_subset_invariance": SERIES,
    "check_methods_sample_order_invariance": SERIES,
}


def test_scikit_learn_finds_nothing_else_amiss():
    done = check_estimator(
        RowsOfNumbers(LETTERS), expected_failed_checks=FAILS, on_fail=None, on_skip=None
    )
    wrong = {d["check_name"]: d["exception"] for d in done if d["status"] == "failed"}
    assert not wrong
    assert {d["check_name"] for d in done if d["status"] == "xfail"} == set(FAILS)
    assert sum(d["status"] == "passed" for d in done) > 25
