"""Copies of responses for `benchmarks.variants`: what is copied, from where, and for which fold.

Everything is made anew for each outer fold that is left out (None: for the test stories), as what a
feature copies is training data like any other. With folds f (left out), g (that of the row whose
feature it is) and k (that of the row copied from), a memory of other stories has k neither f nor g,
and the residuals copied are those of a word model fitted without f, g and k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from pipeline.core.series import delay
from pipeline.fit.design import Design
from pipeline.matching.matches import Matches, induction_features

NEIGHBOURS = 25  # of each row in each fold
T = 0.1  # temperature of similarities of states, as the encoder's
LAGS = (2, 3, 4)  # TRs after a word at which its response peaks
TEST = -1  # the fold of test stories


@dataclass(frozen=True)
class Rows:
    """Rows of all stories of a subject on end.

    Parameters
    ----------
    n_rows : dict of str to int
        Rows of each story, training stories first.
    fold : array of shape (n,)
        Fold of each row; `TEST` for test stories.
    """

    n_rows: Mapping[str, int]
    fold: np.ndarray

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Place of each story."""
        ends = np.cumsum(list(self.n_rows.values())).tolist()
        return {s: slice(e - n, e) for (s, n), e in zip(self.n_rows.items(), ends, strict=True)}

    @property
    def folds(self) -> list[int]:
        """The training folds."""
        return list(range(self.fold.max() + 1))

    def split(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Values of each story."""
        return {story: values[part] for story, part in self.slices.items()}

    def shifted(self, values: np.ndarray, by: int) -> np.ndarray:
        """Values `by` rows later (earlier, if negative) in the same story; zeros move in."""
        later = {s: _shift(v, by) for s, v in self.split(values).items()}
        return np.concatenate(list(later.values()))


def training_folds_of(*folds: int | None) -> set[int]:
    """Those of `folds` that are training folds."""
    return {k for k in folds if k is not None and k != TEST}


def _shift(values: np.ndarray, by: int) -> np.ndarray:
    if by >= 0:
        return delay(values, [by])
    return delay(values[::-1], [-by])[::-1]


class WordModel:
    """Ridge of the responses on word features, one alpha, without any set of folds.

    Parameters
    ----------
    rows : Rows
    x, y : arrays of shape (n, n_columns), (n, n_voxels)
        Word features and responses of all rows.
    alphas : array
        Tried; the one of best mean r on folds outside the fold that is left out is taken.
    """

    def __init__(self, rows: Rows, x: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> None:
        self.rows, self.x, self.y, self.alphas = rows, x, y, alphas
        parts = [rows.fold == k for k in rows.folds]
        self._xx = np.stack([x[p].T @ x[p] for p in parts])
        self._xy = np.stack([x[p].T @ y[p] for p in parts])
        self._alpha: dict[int | None, float] = {}

    def predict(self, without: set[int], alpha: float) -> np.ndarray:
        """Predictions of every row by the model fitted without some folds, (n, n_voxels)."""
        used = [k for k in self.rows.folds if k not in without]
        penalty = alpha * np.eye(self.x.shape[1])
        return self.x @ np.linalg.solve(self._xx[used].sum(0) + penalty, self._xy[used].sum(0))

    def alpha(self, f: int | None) -> float:
        """The best alpha for the rows outside fold `f`."""
        if f not in self._alpha:
            self._alpha[f] = max(self.alphas, key=lambda alpha: self._score(f, alpha))
        return self._alpha[f]

    def _score(self, f: int | None, alpha: float) -> float:
        r = []
        for k in (k for k in self.rows.folds if k != f):
            p = self.predict({k} if f is None else {k, f}, alpha)
            part = self.rows.fold == k
            r.append(np.corrcoef(p[part].ravel(), self.y[part].ravel())[0, 1])
        return float(np.mean(r))

    def residuals(self, without: set[int], f: int | None) -> np.ndarray:
        """Responses less the predictions of the model without some folds, (n, n_voxels)."""
        return self.y - self.predict(without, self.alpha(f))


class Memory:
    """Mean response of the training stories' rows whose states are most like a row's.

    Parameters
    ----------
    rows : Rows
    states : array of shape (n, dim)
        Unit vector of each row; zero where it has none.
    lags : sequence of int
        TRs after the states at which responses are read; their mean is the feature.
    """

    def __init__(self, rows: Rows, states: np.ndarray, lags: tuple[int, ...]) -> None:
        self.rows, self.lags = rows, lags
        self._weights = _neighbours(rows, states.astype(np.float32))

    def copy(self, f: int | None, model: WordModel, residual: bool) -> np.ndarray:
        """Features of all rows when fold `f` is left out, (n, n_voxels)."""
        copied = np.zeros_like(model.y)
        for g in [TEST, *self.rows.folds]:
            own = np.flatnonzero(self.rows.fold == g)
            bank = [k for k in self.rows.folds if k not in (f, g)]
            total, weight = 0.0, 0.0
            for k in bank:
                without = training_folds_of(f, g, k)
                values = model.residuals(without, f) if residual else model.y
                weights = self._weights[k][own]
                later = sum(self.rows.shifted(values, -lag) for lag in self.lags) / len(self.lags)
                total = total + weights @ later
                weight = weight + weights.sum(axis=1)
            copied[own] = total / np.maximum(weight, 1e-12)[:, None]
        # A state speaks of responses `lag` rows later, and so does the row that asks.
        return self.rows.shifted(copied, round(np.mean(self.lags)))


def _neighbours(rows: Rows, states: np.ndarray) -> dict[int, csr_array]:
    """Weights of the most similar rows of each fold, (n, n), for each fold."""
    n, found = len(states), {}
    for k in rows.folds:
        bank = np.flatnonzero((rows.fold == k) & states.any(axis=1))
        columns, values = np.empty((2, n, NEIGHBOURS))
        for start in range(0, n, 2000):
            cosine = states[start : start + 2000] @ states[bank].T
            best = np.argpartition(-cosine, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            columns[start : start + 2000] = bank[best]
            near = np.take_along_axis(cosine, best, axis=1)
            values[start : start + 2000] = np.exp(-(1 - near) / T)
        values[~states.any(axis=1)] = 0
        places = np.repeat(np.arange(n), NEIGHBOURS), columns.astype(int).ravel()
        found[k] = csr_array((values.ravel(), places), (n, n))
    return found


def after_matches(
    rows: Rows, matches: Mapping[str, Matches], values: np.ndarray, offsets: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """How `values` (n, n_voxels) changed after the matched rows of each story."""
    return {
        story: induction_features(matches[story], own.astype(np.float64), offsets)
        for story, own in rows.split(values).items()
    }


def own_residuals(rows: Rows, model: WordModel, f: int | None) -> np.ndarray:
    """Residuals of every row by models without `f` and without the row's own fold."""
    found = np.empty_like(model.y)
    for g in [TEST, *rows.folds]:
        own = rows.fold == g
        found[own] = model.residuals(training_folds_of(f, g), f)[own]
    return found


def design_rows(rows: Rows, design: Design) -> np.ndarray:
    """The design of all stories on end, (n, n_columns)."""
    return np.concatenate([design.rows(story) for story in rows.n_rows]).astype(np.float64)
