"""Sums over the stories of each fold, X'X and X'Y: all that a Gram engine knows of a regression.

Leaving folds out is a matter of summing the others, so that no candidate touches the time series
again. A band that differs with the folds left out has sums of its own for each set of them; those
of the other bands are shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Protocol

import numpy as np

from pipeline.fit.design import Band, Design
from pipeline.fit.grams import Grams, make_grams, pair_of
from pipeline.fit.linalg import Array, Backend
from pipeline.fit.regression import Regression

Out = tuple[int, ...]  # folds left out
REST = -1  # the folds that are not left out, together
ByFold = Mapping[int, Array]  # sums over the stories of each fold, or of some and the rest


def those_without(sums: ByFold, out: Out) -> list[Array]:
    """The sums of all folds but `out`, to be added up."""
    return [part for fold, part in sums.items() if fold not in out]


class Sums(Protocol):
    """Sums of a design and responses.

    Attributes
    ----------
    design : Design
        The bands.
    backend : Backend
        Where sums of pairs of bands, and of bands and responses, are.
    mean : array of shape (n_voxels,)
        Mean response, about which responses are: so sums in single precision lose least.
    """

    design: Design
    backend: Backend
    mean: np.ndarray

    def pair(self, a: Band, b: Band, double: bool = True) -> ByFold:
        """A'B, (n_columns_a, n_columns_b)."""
        ...

    def band(self, band: Band) -> tuple[ByFold, ByFold]:
        """Column sums, (n_columns,), double, and X'Y, (n_columns, n_voxels), single."""
        ...

    def responses(self) -> tuple[ByFold, ByFold, ByFold]:
        """Rows; sums and sums of squares of responses, (n_voxels,), double."""
        ...


class FixedSums:
    """Sums of bands that do not differ with the folds left out (see `Sums`).

    Parameters
    ----------
    regression : Regression
        Design, responses and folds.
    backend : Backend
        Where it is computed.
    grams : Grams, optional
        Of the pairs of bands; made here if not given.
    """

    def __init__(
        self, regression: Regression, backend: Backend, grams: Grams | None = None
    ) -> None:
        self.regression, self.backend, self.design = regression, backend, regression.design
        self.mean = _mean(regression)
        fixed = [band for band in self.design.bands if not band.remade]
        self._grams = make_grams(fixed, regression.folds) if grams is None else grams
        self._pairs: dict[tuple[str, str, bool], ByFold] = {}
        self._bands: dict[str, tuple[ByFold, ByFold]] = {}

    def pair(self, a: Band, b: Band, double: bool = True) -> ByFold:
        """See `Sums.pair`."""
        key = (a.name, b.name, double)
        if key not in self._pairs:
            put, cast = self.backend.put, self.backend.cast
            gram = pair_of(self._grams, a, b)
            self._pairs[key] = {k: cast(put(part), double) for k, part in enumerate(gram)}
        return self._pairs[key]

    def band(self, band: Band) -> tuple[ByFold, ByFold]:
        """See `Sums.band`."""
        if band.name not in self._bands:
            self._bands[band.name] = self.products(band, self.regression.folds)
        return self._bands[band.name]

    def responses(self) -> tuple[ByFold, ByFold, ByFold]:
        """See `Sums.responses`."""
        return self._responses

    @cached_property
    def _responses(self) -> tuple[ByFold, ByFold, ByFold]:
        n_folds, n_voxels = self.regression.n_folds, self.regression.n_voxels
        rows = dict.fromkeys(range(n_folds), 0)
        y, yy = ({k: np.zeros(n_voxels) for k in range(n_folds)} for _ in range(2))
        for story, fold in self.regression.folds.items():
            responses = self.regression.responses[story] - self.mean
            rows[fold] += len(responses)
            y[fold] += responses.sum(axis=0, dtype=np.float64)
            yy[fold] += np.einsum("ij,ij->j", responses, responses, dtype=np.float64)
        return rows, y, yy

    def products(self, band: Band, folds: Mapping[str, int]) -> tuple[ByFold, ByFold]:
        """Column sums and X'Y of a band, of folds as given, one story at a time."""
        n_columns, n_voxels = band.n_columns, self.regression.n_voxels
        labels = sorted(set(folds.values()))
        x = {k: np.zeros(n_columns) for k in labels}
        # Columns are voxels, one after another, as systems are solved for them.
        xy = {k: np.zeros((n_columns, n_voxels), np.float32, order="F") for k in labels}
        for story, fold in folds.items():
            rows = band.rows(story)
            x[fold] += rows.sum(axis=0, dtype=np.float64)
            xy[fold].T[:] += (self.regression.responses[story] - self.mean).T @ rows
        return x, {k: self.backend.put(part) for k, part in xy.items()}


def _mean(regression: Regression) -> np.ndarray:
    """Mean response, (n_voxels,)."""
    total = sum(r.sum(axis=0, dtype=np.float64) for r in regression.responses.values())
    return (total / regression.n_rows).astype(np.float32)
