"""Drift control: what the mean of the past says of the future when stories are z-scored whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.features.base import Kind


def compute(scores: np.ndarray, horizon: int, options: Mapping[str, Any]) -> np.ndarray:
    """Mean of BOLD rows <= t-h, and minus their sum divided by the number of rows left.

    As BOLD is z-scored within a story its rows sum to zero, so the second is the mean of the rows
    still to come. Zero where no row is old enough.

    Parameters
    ----------
    scores : array of shape (n_rows, n_components)
        Principal-component scores of the subject's BOLD in a story.
    horizon : int
        h, TRs.
    options : dict
        Not used.

    Returns
    -------
    array of shape (n_rows, 2 * n_components)
    """
    n_rows = len(scores)
    seen = np.maximum(np.arange(n_rows) - horizon + 1, 0)[:, None]
    totals = np.concatenate([np.zeros_like(scores[:1]), np.cumsum(scores, axis=0)])
    total = totals[seen[:, 0]]
    left = n_rows - seen
    return np.concatenate([total / np.maximum(seen, 1), -total / left], axis=1)


KIND = Kind("drift", "responses", compute, fir=False, options={"horizon": None})
