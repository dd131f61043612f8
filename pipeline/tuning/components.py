"""The main axes of weights, and how many of them are more than chance makes.

Weights that follow no response have axes, too: those of the features' own covariance, which ridge
keeps. So the weights are held against those of the same voxels at the same alphas for responses
that are shifted in time within every story, which leaves words and responses as they are and parts
them (Huth et al., 2012, held them against the axes of the stimuli).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_AXES = 10
CHANCE = 95  # percentile of the shifted fits


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of the weights of some voxels.

    Parameters
    ----------
    mean : array of shape (n_features,)
        Mean weights of the voxels.
    axes : array of shape (n_axes, n_features)
        Orthonormal; signs such that the largest entry of each is positive.
    variance : array of shape (n_axes,)
        Of the weights along each, over voxels.
    total : float
        Variance of the weights along all axes there are.
    """

    mean: np.ndarray
    axes: np.ndarray
    variance: np.ndarray
    total: float

    @property
    def share(self) -> np.ndarray:
        """Shares of the weights' variance, array of shape (n_axes,)."""
        return self.variance / max(self.total, 1e-300)

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Place of each voxel on the axes, (n_axes, n_voxels), for (n_features, n_voxels)."""
        return self.axes @ (weights - self.mean[:, None])


def principal_axes(weights: np.ndarray, n_axes: int = MOST_AXES) -> Axes:
    """Principal axes of weights of shape (n_features, n_voxels), at most `n_axes`."""
    mean = weights.mean(axis=1)
    centred = weights - mean[:, None]
    n_features, n_voxels = centred.shape
    n_axes = min(n_axes, n_features, max(n_voxels - 1, 1))  # of n voxels about their mean
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    axes = left[:, :n_axes].T
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(n_axes), largest])
    variance = np.square(singular) / max(weights.shape[1], 1)
    return Axes(mean, axes * signs[:, None], variance[:n_axes], float(variance.sum()))


def n_above_chance(variance: np.ndarray, shifted: np.ndarray) -> int:
    """How many axes, from the first on, have more variance than those of shifted fits.

    This is Horn's parallel analysis (1965).

    Parameters
    ----------
    variance : array of shape (n_axes,)
        Of the voxels' own weights.
    shifted : array of shape (n_shifted, n_axes)
        Of the same voxels' weights for shifted responses.
    """
    above = variance > np.percentile(shifted, CHANCE, axis=0)
    return int(above.argmin()) if not above.all() else len(above)
