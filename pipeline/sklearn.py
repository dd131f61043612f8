"""Features of words brought to TRs, as a scikit-learn transformer: stories in, a row a TR out.

So that features of `gim.sklearn`, or any others of words, go where scikit-learn's transformers go:
into a pipeline, or one a band into himalaya's ``ColumnKernelizer``
(docs/notebooks/column_kernelizer.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from gim.errors import InputError
from pipeline.core.series import delay, zscore
from pipeline.dataset.story import METHODS, Story

Stories = Iterable[Story] | np.ndarray


class ToRows(TransformerMixin, BaseEstimator):
    """Rows of a band's design: words' features filtered to TRs, z-scored, delayed.

    As `pipeline.fit.design` does it, but for the factor that gives all bands one variance.

    Parameters
    ----------
    words : transformer
        Takes a list of stories, each a list of words, and gives a list of arrays of shape
        (n_words, n_features): those of `gim.sklearn`, or a ``FunctionTransformer``.
    downsample : {"lanczos", "average", "sum"}
        Lanczos filter by the words' mid-times, or mean or sum over the words that start in a TR.
    zscore : bool
        Whether columns are z-scored within each story.
    delays : sequence of int
        FIR delays, TRs; (0,) for none.

    Attributes
    ----------
    words_ : transformer
        The fitted `words`.
    """

    def __init__(
        self,
        words: Any,
        downsample: str = "lanczos",
        zscore: bool = True,
        delays: Sequence[int] = (1, 2, 3, 4),
    ) -> None:
        self.words = words
        self.downsample = downsample
        self.zscore = zscore
        self.delays = delays

    def fit(self, X: Stories, y: Any = None) -> ToRows:
        """Fit `words` to the words of the stories.

        Parameters
        ----------
        X : iterable of Story, or array of shape (n_stories,) or (n_stories, 1)
            Words and TR grid of each story (`Run.story`).
        y : ignored

        Raises
        ------
        InputError
            If X holds anything but stories, or a parameter is none of those above.
        """
        self._check_parameters()
        texts = [_words(story) for story in stories_of(X)]
        self.words_ = clone(self.words).fit(texts)
        return self

    def transform(self, X: Stories) -> np.ndarray:
        """Rows of the stories on end.

        Parameters
        ----------
        X : iterable of Story, or array of shape (n_stories,) or (n_stories, 1)

        Returns
        -------
        array of shape (n_rows of all stories, n_delays * n_features), float32

        Raises
        ------
        InputError
            If X holds anything but stories, or `words` gives no row a word.
        """
        check_is_fitted(self)
        return np.concatenate([self._rows(story) for story in stories_of(X)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns: what `words` calls them, and the delay."""
        check_is_fitted(self)
        names = self.words_.get_feature_names_out(input_features)
        return np.array([f"{name}, {d} TR" for d in self.delays for name in names], dtype=object)

    def _rows(self, story: Story) -> np.ndarray:
        """Rows of a story, array of shape (n_rows, n_delays * n_features)."""
        words = _words(story)
        # A transformer may put its stories on end, or not: of a single one both are this array.
        values = np.vstack(self.words_.transform([words]))
        if len(values) != len(words):
            what = f"{self.words_} gives {len(values)} rows for {len(words)} words"
            raise InputError(f"story {story.name}: {what}; it must give a row a word")
        rows = story.to_rows(values, self.downsample)
        return delay((zscore(rows) if self.zscore else rows).astype(np.float32), self.delays)

    def _check_parameters(self) -> None:
        if self.downsample not in METHODS:
            raise InputError(f"downsample is {self.downsample!r}; use one of {', '.join(METHODS)}")
        delays = list(self.delays)
        if not delays or any(not isinstance(d, int | np.integer) or d < 0 for d in delays):
            raise InputError(f"delays are {delays}; give whole numbers of TRs, at least 0")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        tags.no_validation = True
        return tags


def stories_of(stories: Stories) -> list[Story]:
    """Stories as a list, also out of a column of a table.

    Raises
    ------
    InputError
        If there are none, or something else is among them.
    """
    found = np.asarray(stories, dtype=object).ravel().tolist()
    for i, story in enumerate(found):
        if not isinstance(story, Story):
            what = f"X[{i}] is {story!r:.40}, which is no Story"
            raise InputError(f"{what}: take them from a run (`Run.story`), or make them (`Story`)")
    if not found:
        raise InputError("X has no stories; give at least one")
    return found


def _words(story: Story) -> list[str]:
    return story.words["word"].tolist()
