"""Designs that differ with the folds left out: an engine of its own for every set of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.fit.elimination import LeftOut, Remainder, split
from pipeline.fit.regression import Regression
from pipeline.fit.search import Engine, Out, Solved


class RemadeEngine:
    """Candidates solved on the design that belongs to the folds left out.

    The folds that train are one fold to the engine of a set: only sums over all of them are needed
    (see `pipeline.fit.search.Engine`).

    Parameters
    ----------
    regression : Regression
        With a design of which some bands are made anew (`pipeline.fit.design.Band.remade`).
    make : callable
        Makes the engine of a regression.

    Raises
    ------
    ProblemError
        If a band was made for other folds.
    """

    def __init__(self, regression: Regression, make: Callable[[Regression], Engine]) -> None:
        self.regression, self.make = regression, make
        self.split = split(regression.design)
        self._engines: dict[Out, Engine] = {}
        for band in regression.design.remade:
            if band.folds != regression.folds:
                what = "its memory was made for other folds of the training stories"
                raise ProblemError(Problem(band.name, "folds", what, "make it again"))

    def engine(self, out: Out) -> Engine:
        """The engine of the folds left out: to it these are the folds 1 and 2, all others 0."""
        if out not in self._engines:
            folds = {
                story: 1 + out.index(fold) if fold in out else 0
                for story, fold in self.regression.folds.items()
            }
            design = self.regression.design.without(out)
            self._engines[out] = self.make(replace(self.regression, design=design, folds=folds))
        return self._engines[out]

    def mixed(self, alphas: np.ndarray) -> RemadeMixed:
        """See `pipeline.fit.search.Engine.mixed`."""
        return RemadeMixed(self, alphas)


@dataclass(frozen=True)
class RemadeMixed:
    """The engine at some alphas (see `pipeline.fit.search.Mixed`)."""

    engine: RemadeEngine
    alphas: np.ndarray

    def solve(self, out: Out, voxels: np.ndarray) -> RemadeSolved:
        """See `pipeline.fit.search.Mixed.solve`."""
        own = tuple(range(1, 1 + len(out)))
        return RemadeSolved(self.engine.engine(out).mixed(self.alphas).solve(own, voxels), out)


@dataclass(frozen=True)
class RemadeSolved:
    """Solved for the folds left out (see `pipeline.fit.search.Solved`)."""

    solved: Solved
    out: Out

    @property
    def remainder(self) -> Remainder:
        """See `pipeline.fit.search.Solved.remainder`."""
        return self.solved.remainder

    def left_out(self, fold: int) -> LeftOut:
        """See `pipeline.fit.search.Solved.left_out`."""
        return self.solved.left_out(1 + self.out.index(fold))

    def weights(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `pipeline.fit.search.Solved.weights`."""
        return self.solved.weights(u)
