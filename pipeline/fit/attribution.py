"""Which band explains a response: the product measure."""

from __future__ import annotations

import numpy as np

from pipeline.core.series import centre
from pipeline.fit.design import Design


def band_parts(weights: np.ndarray, design: Design, story: str) -> np.ndarray:
    """What each band contributes to the predictions of a story.

    Parameters
    ----------
    weights : array of shape (n_columns, n_voxels)
        Weights of the design's columns.
    design : Design
        The model's bands.
    story : str
        The story.

    Returns
    -------
    array of shape (n_bands, n_rows, n_voxels)
        Each with mean zero over the rows, so that they sum to the predictions but for a constant.
    """
    rows = design.rows(story)
    parts = []
    for columns in design.slices:
        part = rows[:, columns] @ weights[columns]
        parts.append(part - part.mean(axis=0))
    return np.stack(parts)


def band_shares(parts: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Each band's share of the explained variance of a story (product measure).

    Shares sum to the R2 of the model (about the story's means). A share is negative where a band
    makes the prediction worse; nothing is clipped.

    Parameters
    ----------
    parts : array of shape (n_bands, n_rows, n_voxels)
        `band_parts`.
    measured : array of shape (n_rows, n_voxels)
        Responses.

    Returns
    -------
    array of shape (n_bands, n_voxels)
        NaN where the response does not vary.
    """
    # himalaya.scoring.r2_score_split gives the same, but copies the parts in double precision and
    # multiplies all bands with each other (five bands: 8 times the time, 5 times the memory), warns
    # of means above 1e-6 in whatever unit, and returns arrays of the backend that a solver has set.
    centred = centre(measured)
    variance = np.einsum("ij,ij->j", centred, centred)
    explained = np.einsum("bij,ij->bj", parts, 2 * centred - parts.sum(axis=0))
    return explained / np.where(variance == 0, np.nan, variance)
