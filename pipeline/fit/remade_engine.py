"""Designs that differ with the folds left out: an engine of its own for every set of them.

Most of a design does not differ. What is known of the other bands is made once, and shared.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.fit.design import Band
from pipeline.fit.elimination import NARROW, split
from pipeline.fit.grams import RemadeGrams, gram_of
from pipeline.fit.regression import Regression
from pipeline.fit.search import Engine, Solved
from pipeline.fit.sums import REST, ByFold, FixedSums, Out


class RemadeEngine:
    """Candidates solved on the design that belongs to the folds left out.

    Parameters
    ----------
    regression : Regression
        With a design of which some bands are made anew (`pipeline.fit.design.Band.remade`).
    make : callable
        Makes the engine of the regression for the folds left out.

    Raises
    ------
    ProblemError
        If a band was made for other folds.
    """

    def __init__(self, regression: Regression, make: Callable[[Out], Engine]) -> None:
        self.make, self.split = make, split(regression.design)
        self._engines: dict[Out, Engine] = {}
        for band in regression.design.remade:
            if band.folds != regression.folds:
                what = "its memory was made for other folds of the training stories"
                raise ProblemError(Problem(band.name, "folds", what, "make it again"))

    def engine(self, out: Out) -> Engine:
        """The engine of the folds left out."""
        if out not in self._engines:
            self._engines[out] = self.make(out)
        return self._engines[out]

    def mixed(self, alphas: np.ndarray) -> RemadeMixed:
        """See `pipeline.fit.search.Engine.mixed`."""
        return RemadeMixed(self, alphas)


class RemadeMixed:
    """The engine at some alphas (see `pipeline.fit.search.Mixed`)."""

    def __init__(self, engine: RemadeEngine, alphas: np.ndarray) -> None:
        self.engine, self.alphas = engine, alphas

    def solve(self, out: Out, voxels: np.ndarray) -> Solved:
        """See `pipeline.fit.search.Mixed.solve`."""
        return self.engine.engine(out).mixed(self.alphas).solve(out, voxels)


class RemadeSums:
    """Sums of the design that belongs to the folds left out (see `pipeline.fit.sums.Sums`).

    Parameters
    ----------
    fixed : FixedSums
        Of the bands that are never made anew.
    out : tuple of int
        The folds left out.
    grams : RemadeGrams
        Where the sums of other pairs are kept for the next block of voxels; filled where empty.
    """

    def __init__(self, fixed: FixedSums, out: Out, grams: RemadeGrams) -> None:
        self.fixed, self.out, self._grams = fixed, out, grams
        self.design, self.backend, self.mean = fixed.design.without(out), fixed.backend, fixed.mean
        self._remade = {band.name for band in fixed.design.remade}
        self._pairs: dict[tuple[str, str, bool], ByFold] = {}
        for a, b in combinations_with_replacement(self.design.bands, 2):
            if self._remade & {a.name, b.name} and (a.name, b.name) not in grams:
                grams[a.name, b.name] = self._gram(a, b)

    def _gram(self, a: Band, b: Band) -> ByFold:
        """Sums of a pair over each fold that is left out, and over the rest.

        Of folds left out those of wide bands are only scored on, which is done in single precision.
        """
        places = {fold: 1 + i for i, fold in enumerate(self.out)}
        folds = {story: places.get(fold, 0) for story, fold in self.fixed.regression.folds.items()}
        sums = gram_of(a, b, folds)
        kind = np.float32 if min(a.n_columns, b.n_columns) > NARROW else np.float64
        return {REST: sums[0]} | {fold: sums[k].astype(kind) for fold, k in places.items()}

    def pair(self, a: Band, b: Band, double: bool = True) -> ByFold:
        """See `Sums.pair`."""
        if not self._remade & {a.name, b.name}:
            return self.fixed.pair(a, b, double)
        key = (a.name, b.name, double)
        if key not in self._pairs:
            swapped = (a.name, b.name) not in self._grams
            found = self._grams[(b.name, a.name) if swapped else (a.name, b.name)]
            parts = {k: self.backend.put(p.T if swapped else p) for k, p in found.items()}
            if not double:
                parts = {k: self.backend.cast(part, double=False) for k, part in parts.items()}
            self._pairs[key] = parts
        return self._pairs[key]

    def band(self, band: Band) -> tuple[ByFold, ByFold]:
        """See `Sums.band`."""
        if band.name not in self._remade:
            return self.fixed.band(band)
        folds = self.fixed.regression.folds
        return self.fixed.products(
            band, {story: fold if fold in self.out else REST for story, fold in folds.items()}
        )

    def responses(self) -> tuple[ByFold, ByFold, ByFold]:
        """See `Sums.responses`."""
        return self.fixed.responses()
