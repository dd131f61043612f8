"""Gram matrices of pairs of bands, summed over the stories of each fold.

A pair's sums serve every model that has both bands and every block of voxels. They are in double
precision: they are made once, and everything rests on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.layout import LayoutFile
from pipeline.fit.design import Band

Grams = Mapping[tuple[str, str], np.ndarray]  # (band, band): (n_folds, n_columns, n_columns)


def gram_of(a: Band, b: Band, folds: Mapping[str, int]) -> np.ndarray:
    """Sums of A'B over the stories of each fold, (n_folds, n_columns_a, n_columns_b), double.

    Parameters
    ----------
    a, b : Band
        The bands; may be the same one.
    folds : mapping of str to int
        Fold of each training story.
    """
    sums = np.zeros((max(folds.values()) + 1, a.n_columns, b.n_columns))
    for story, fold in folds.items():
        rows_a = a.rows(story).astype(np.float64)
        rows_b = rows_a if a is b else b.rows(story).astype(np.float64)
        sums[fold] += rows_a.T @ rows_b
    return sums


class GramFile(LayoutFile):
    """Sums of one pair of bands.

    Dataset `gram`: (n_folds, n_columns_a, n_columns_b), double, X_a'X_b of the delayed bands over
    the stories of each fold. Attributes: `layout`; `a` and `b`, the names of the bands.
    """

    LAYOUT = "gram/1"

    @classmethod
    def write(cls, path: str | Path, a: Band, b: Band, folds: Mapping[str, int]) -> None:
        """Make the sums of a pair and write them."""
        with cls._create(path) as made:
            made._file["gram"] = gram_of(a, b, folds)
            made._file.attrs.update({"a": a.name, "b": b.name})

    @classmethod
    def read_all(cls, paths: Sequence[str | Path]) -> Grams:
        """The sums of all pairs in files."""
        return dict(cls(path)._pair() for path in paths)

    def _pair(self) -> tuple[tuple[str, str], np.ndarray]:
        with self._open() as file:
            return (str(file.attrs["a"]), str(file.attrs["b"])), file["gram"][:]


def fold_grams(
    bands: Sequence[Band], folds: Mapping[str, int], grams: Grams | None = None
) -> list[np.ndarray]:
    """X'X of each fold for `bands` side by side, each (n_columns, n_columns).

    Parameters
    ----------
    bands : sequence of Band
        The bands of the design.
    folds : mapping of str to int
        Fold of each training story.
    grams : Grams, optional
        The pairs' sums (`GramFile.read_all`); made here if not given.

    Raises
    ------
    ProblemError
        If a pair is missing or was made from another band.
    """
    if grams is None:
        pairs = combinations_with_replacement(bands, 2)
        grams = {(a.name, b.name): gram_of(a, b, folds) for a, b in pairs}
    n_folds = max(folds.values()) + 1
    return [
        np.block([[_pair(a, b, grams, fold) for b in bands] for a in bands])
        for fold in range(n_folds)
    ]


def _pair(a: Band, b: Band, grams: Grams, fold: int) -> np.ndarray:
    if (a.name, b.name) in grams:
        gram = grams[a.name, b.name][fold]
    elif (b.name, a.name) in grams:
        gram = grams[b.name, a.name][fold].T
    else:
        gram = np.empty((0, 0))
    if gram.shape != (a.n_columns, b.n_columns):
        what = f"no Gram matrix of {a.name} and {b.name} with the bands' columns"
        raise ProblemError(Problem("Gram matrices", "", what, "delete them; they are made again"))
    return gram
