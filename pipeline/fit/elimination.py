"""What is left of a ridge problem once its wide bands are eliminated.

Let W be the columns of the wide bands, U those of the narrow ones and a column of ones (the
intercept, not penalised). Whatever the weights u of U are, the best weights of W follow from one
factorised system, whose size is that of the problem. What remains for u is a system of a few
equations, (S + diag(alpha)) u = c with S the Schur complement, and the predictions for left-out
rows are p + P u. So any number of alphas of the narrow bands cost next to nothing beside one of the
wide.
(Block elimination; Golub and Van Loan, Matrix Computations, section 3.2.11.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.fit.design import Design

NARROW = 64  # columns of a band at most
N_NARROW = 3  # bands: all combinations of their alphas are tried
# Columns of all of them, at most: this share of the design's, or so many; more in designs of up to
# `TINY` columns, where all costs next to nothing.
SHARE, FEW, FEW_OF_TINY, TINY = 1 / 16, 32, 64, 256
COMBINATIONS = 150  # of the narrow bands' alphas at most


@dataclass(frozen=True)
class Split:
    """Which bands of a design are wide and which narrow, by index.

    Parameters
    ----------
    wide, narrow : lists of int
        The bands, in the design's order; there is always a wide one.
    wide_columns, narrow_columns : arrays of int
        Their columns in the design.
    narrow_bands : array of shape (n_narrow_columns + 1,)
        For each narrow column its place in `narrow`; -1 for the intercept, which comes last.
    """

    wide: list[int]
    narrow: list[int]
    wide_columns: np.ndarray
    narrow_columns: np.ndarray
    narrow_bands: np.ndarray


def split(design: Design) -> Split:
    """Take the (at most `N_NARROW`) narrowest bands of `NARROW` columns or less as narrow.

    All combinations of their alphas are solved at every point of the search, which must cost little
    beside one system of the wide bands: so there are fewer where they are not small in all.
    """
    n_columns = [band.n_columns for band in design.bands]
    by_width = sorted(range(len(n_columns)), key=n_columns.__getitem__)
    few = FEW_OF_TINY if design.n_columns <= TINY else FEW
    ends = np.cumsum(sorted(n_columns)) <= max(few, SHARE * design.n_columns)
    narrow = sorted(
        b
        for b, fits in zip(by_width[:-1][:N_NARROW], ends, strict=False)
        if fits and n_columns[b] <= NARROW
    )
    wide = [b for b in range(len(n_columns)) if b not in narrow]
    columns = np.arange(design.n_columns)

    def of(bands: list[int]) -> np.ndarray:
        return np.concatenate([columns[design.slices[b]] for b in bands] or [columns[:0]])

    places = np.repeat(np.arange(len(narrow)), [n_columns[b] for b in narrow])
    return Split(wide, narrow, of(wide), of(narrow), np.append(places, -1).astype(int))


def runs(mask: np.ndarray) -> list[slice]:
    """Where `mask` is true, as few slices as there can be."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def combinations(n_alphas: int, n_narrow: int) -> np.ndarray:
    """Indices of alphas to try for the narrow bands, (n_combinations, n_narrow).

    Where there are too many, every second (third, ...) alpha is used, counted from the largest:
    what a band of few columns predicts hardly depends on its alpha.
    """
    step = 1
    while len(range(n_alphas - 1, -1, -step)) ** n_narrow > COMBINATIONS:
        step += 1
    tried = list(product(range(n_alphas - 1, -1, -step), repeat=n_narrow))
    return np.array(tried, int).reshape(len(tried), n_narrow)


@dataclass(frozen=True)
class Remainder:
    """The system of the narrow columns.

    Parameters
    ----------
    system : array of shape (n_columns, n_columns)
        Schur complement, the last column that of the intercept.
    rhs : array of shape (n_columns, n_voxels)
        Right-hand sides.
    bands : array of shape (n_columns,)
        `Split.narrow_bands`.
    """

    system: np.ndarray
    rhs: np.ndarray
    bands: np.ndarray

    def solve(self, alphas: Sequence[float] | np.ndarray, voxels: slice | np.ndarray) -> np.ndarray:
        """Weights of the narrow columns, (n_columns, n_voxels), at the narrow bands' alphas."""
        penalty = np.append(alphas, 0.0)[self.bands]
        return np.linalg.solve(self.system + np.diag(penalty), self.rhs[:, voxels])


@dataclass(frozen=True)
class Spread:
    """How predictions p + P u vary over some rows: mean products, about their means.

    Parameters
    ----------
    pp, Pp, PP : arrays of shape (n_voxels,), (n_columns, n_voxels), (n_columns, n_columns)
        Of p'p, P'p and P'P.
    """

    pp: np.ndarray
    Pp: np.ndarray
    PP: np.ndarray


@dataclass(frozen=True)
class LeftOut:
    """Sums over the rows of a left-out fold, about their means: predictions are p + P u.

    Parameters
    ----------
    py, pp, yy : arrays of shape (n_voxels,)
        p'y, p'p and y'y.
    Py, Pp : arrays of shape (n_columns, n_voxels)
        P'y and P'p.
    PP : array of shape (n_columns, n_columns)
        P'P.
    """

    py: np.ndarray
    pp: np.ndarray
    yy: np.ndarray
    Py: np.ndarray
    Pp: np.ndarray
    PP: np.ndarray

    def r(self, u: np.ndarray) -> np.ndarray:
        """Pearson r of the predictions with the responses, (n_voxels,); 0 where one is constant."""
        covariance = self.py + (self.Py * u).sum(axis=0)
        variance = self.pp + ((2 * self.Pp + self.PP @ u) * u).sum(axis=0)
        scale = np.sqrt(variance.clip(0) * self.yy.clip(0))
        # A prediction that is nothing next to the response is constant but for rounding.
        large = scale > 1e-12 * self.yy
        return np.divide(covariance, scale, out=np.zeros_like(scale), where=large)
