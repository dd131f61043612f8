"""Weights as directions in the space of a band's features, and where they may be read."""

from __future__ import annotations

import numpy as np

from pipeline.core.interval import story_mean
from pipeline.fit.design import Preparation
from pipeline.statistics.permutation import fdr


def predicted_voxels(r_train: np.ndarray, level: float) -> np.ndarray:
    """Voxels that are predicted, by cross-validation over the training stories alone.

    `story_mean` of Fisher's z of the stories' out-of-fold r, one-sided, with the false discovery
    rate of Benjamini and Hochberg (1995).

    Parameters
    ----------
    r_train : array of shape (n_stories, n_voxels)
        Out-of-fold r of each training story; NaN where a response does not vary.
    level : float
        False discovery rate.

    Returns
    -------
    array of bool, shape (n_voxels,)
        None of fewer than three stories.
    """
    z = np.arctanh(np.clip(r_train, -1 + 1e-7, 1 - 1e-7))
    return fdr(story_mean(z).p) < level


def feature_weights(weights: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Mean over delays, projected back from principal components to the features.

    Parameters
    ----------
    weights : array of shape (n_delays, n_columns, n_voxels)
        Weights of a band.
    preparation : Preparation
        Of the band.

    Returns
    -------
    array of shape (n_features, n_voxels)
        Response per standard deviation of each feature.
    """
    mean = weights.mean(axis=0)
    return mean if preparation.components is None else preparation.components @ mean
