"""Weights of some voxels, solved again at the alphas of the fit, to hold the model's against.

For responses that are shifted in time within every story, which leaves words and responses as they
are and parts them; and without the stories of each fold, which shows what hangs on single stories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.core.random import generator
from pipeline.fit.cross_validation import choose_solver, make_engine
from pipeline.fit.design import Design
from pipeline.fit.grams import DesignGrams, Grams
from pipeline.fit.regression import Regression
from pipeline.fit.search import Out
from pipeline.fit.solver import solve_at
from pipeline.fit.weights_file import KeptBand
from pipeline.tuning.meaning import feature_weights
from pipeline.tuning.subject import Subject

N_SHIFTED = 20


@dataclass(frozen=True, eq=False)
class Refits:
    """A model's weights for some voxels, solved once more.

    Parameters
    ----------
    subject : Subject
        Whose.
    design : Design
        The model's bands.
    alpha : array of shape (n_bands, n_voxels)
        Of the fit, for all voxels.
    folds : mapping of str to int
        Fold of each training story, as the fit had them.
    shifted_voxels, fold_voxels : arrays of int
        Voxels whose responses are shifted; voxels that are solved without each fold.
    seed : int
        Seed of the shifts, the same for all voxels.
    grams : Grams, optional
        Gram matrices of the band pairs by fold; made here if not given.
    """

    subject: Subject
    design: Design
    alpha: np.ndarray
    folds: Mapping[str, int]
    shifted_voxels: np.ndarray
    fold_voxels: np.ndarray
    seed: int
    grams: Grams | None = None

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return max(self.folds.values()) + 1

    def shifted(self, kept: KeptBand) -> list[np.ndarray]:
        """A band's weights for shifted responses, each (n_features, n_voxels)."""
        return [self._features(weights, kept) for weights in self._shifted]

    def without_folds(self, kept: KeptBand) -> list[np.ndarray]:
        """A band's weights without each fold's stories, each (n_features, n_voxels)."""
        return [self._features(weights, kept) for weights in self._without_folds]

    def _features(self, weights: np.ndarray, kept: KeptBand) -> np.ndarray:
        """Weights of the design's columns as those of a band's features."""
        i = [band.name for band in self.design.bands].index(kept.name)
        own, columns = self.design.bands[i], self.design.slices[i]
        factors = np.asarray(own.weights, np.float32)[:, None, None]
        by_delay = weights[columns].reshape(len(own.delays), -1, weights.shape[1]) * factors
        return feature_weights(by_delay, kept.preparation)

    @cached_property
    def _shifted(self) -> list[np.ndarray]:
        responses = {}
        for story, own in self._responses(self.shifted_voxels).items():
            rng = generator(self.seed, "tuning", story)
            shifts = rng.integers(len(own) // 4, len(own) - len(own) // 4, N_SHIFTED)
            rolled = [np.roll(own, shift, axis=0) for shift in shifts]
            responses[story] = np.concatenate(rolled, axis=1)
        alpha = np.tile(self.alpha[:, self.shifted_voxels], N_SHIFTED)
        (weights,) = self._solved(responses, alpha, [()])
        return np.split(weights, N_SHIFTED, axis=1)

    @cached_property
    def _without_folds(self) -> list[np.ndarray]:
        responses = self._responses(self.fold_voxels)
        outs = [(fold,) for fold in range(self.n_folds)]
        return self._solved(responses, self.alpha[:, self.fold_voxels], outs)

    def _solved(
        self, responses: dict[str, np.ndarray], alpha: np.ndarray, outs: Sequence[Out]
    ) -> list[np.ndarray]:
        """Weights of the design's columns without each of some sets of folds."""
        regression = Regression(self.design, responses, dict(self.folds), np.empty(0))
        engine = make_engine(self._solver, regression, grams=self._grams)
        return [solve_at(engine, alpha.astype(np.float64), out)[0] for out in outs]

    @cached_property
    def _solver(self) -> str:
        n_rows = sum(self.subject.dataset.grid(story).n_rows for story in self.folds)
        return choose_solver("auto", n_rows, self.design.n_columns, self.n_folds)

    @cached_property
    def _grams(self) -> DesignGrams | None:
        """Sums that both share, where they serve."""
        if self._solver != "gram":
            return None
        return DesignGrams(self.grams) if self.grams else DesignGrams.of(self.design, self.folds)

    def _responses(self, voxels: np.ndarray) -> dict[str, np.ndarray]:
        read = self.subject.dataset.read_responses
        return {story: read(self.subject.name, story)[:, voxels] for story in self.folds}
