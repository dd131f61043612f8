"""Pseudo-voxels: mixtures of a subject's components with autocorrelated noise of their own.

Real voxels are far noisier than components, and a test story that was presented several times is
less noisy than the training stories. Both can be had from components: a mixture of them is the
signal, noise that follows AR(1) comes to it, and its size is what makes cross-validation on
training stories give a wanted r.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from pipeline.core.random import generator
from pipeline.core.series import zscore

ROUNDS = 4  # of the calibration


@dataclass(frozen=True)
class PseudoVoxels:
    """How components become voxels.

    Parameters
    ----------
    weights : array of shape (n_components, n_voxels)
        Of the mixtures, columns of norm one.
    noise : float, or array of shape (n_voxels,)
        Variance of the noise of one presentation, over that of the signal.
    phi : float
        Autocorrelation of the noise from one TR to the next.
    seed : int
        Seed of the noise.
    """

    weights: np.ndarray
    noise: float | np.ndarray
    phi: float
    seed: int

    @classmethod
    def make(cls, components: Sequence[np.ndarray], n_voxels: int, seed: int) -> PseudoVoxels:
        """Random mixtures; the noise is as autocorrelated as the components of some stories.

        Component k weighs with variance 1 / k, as the spectrum of BOLD falls about like that.
        """
        n = components[0].shape[1]
        weights = generator(seed, "mixtures").standard_normal((n, n_voxels))
        weights /= np.sqrt(np.arange(1, n + 1))[:, None]
        z = [zscore(story) for story in components]
        phi = np.mean([(story[1:] * story[:-1]).mean() for story in z])
        return cls(weights / np.linalg.norm(weights, axis=0), 1.0, float(phi), seed)

    def bold(self, components: np.ndarray, name: str, n_presentations: int = 1) -> np.ndarray:
        """BOLD of a story, z-scored, (n_rows, n_voxels).

        Parameters
        ----------
        components : array of shape (n_rows, n_components)
            The story's.
        name : str
            Gives the story's noise a stream of its own.
        n_presentations : int
            Presentations that are averaged; the first has the same noise, however many.
        """
        noise = sum(self._noise(len(components), name, i) for i in range(n_presentations))
        signal = zscore(components) @ self.weights
        return zscore(signal + np.sqrt(self.noise) / n_presentations * noise)

    def calibrated(self, r: Callable[[PseudoVoxels], float], wanted: float) -> PseudoVoxels:
        """With as much noise as makes `r` of it `wanted`; without any if that is too little.

        r falls about as the share of the signal's standard deviation does.
        """
        noise = 0.0
        for _ in range(ROUNDS):
            found = r(replace(self, noise=noise))
            noise = max((1 + noise) * (found / wanted) ** 2 - 1, 0.0)
        return replace(self, noise=noise)

    def _noise(self, n_rows: int, name: str, presentation: int) -> np.ndarray:
        """AR(1) noise of unit variance, (n_rows, n_voxels)."""
        rng = generator(self.seed, "noise", name, str(presentation))
        fresh = rng.standard_normal((n_rows, self.weights.shape[1]))
        fresh[1:] *= np.sqrt(1 - self.phi**2)  # the first row is drawn from the stationary process
        return lfilter([1.0], [1.0, -self.phi], fresh, axis=0)
