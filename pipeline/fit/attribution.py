"""Which band explains a response: the product measure."""

from __future__ import annotations

import numpy as np

from pipeline.core.progress import chunks
from pipeline.core.series import centre
from pipeline.fit.design import Design

VOXELS = 1000  # at a time, in double


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

    With y the response and p_b what band b contributes, (2 y'p_b - p_b' sum_c p_c) / y'y, as
    himalaya's `r2_score_split`, but by one product a band. Shares sum to the R2 of the model (about
    the story's means). A share is negative where a band makes the prediction worse; nothing is
    clipped.

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
    centred = centre(measured)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    shares = np.full((len(parts), len(norm)), np.nan)
    varying = np.flatnonzero(norm)
    for some in chunks(range(len(varying)), VOXELS):
        voxels = varying[some]
        # In units of the response's norm: squares of tiny ones would vanish.
        y, p = centred[:, voxels] / norm[voxels], parts[:, :, voxels] / norm[voxels]
        shares[:, voxels] = np.einsum("bij,ij->bj", p, 2 * y - p.sum(axis=0))
    return shares
