"""Autoregressive control: the newest BOLD that the horizon allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.core.series import delay
from pipeline.features.base import Kind


def compute(scores: np.ndarray, horizon: int, options: Mapping[str, Any]) -> np.ndarray:
    """BOLD at rows t-h, t-h-1, ... (as many as `order`); zero before the story.

    Parameters
    ----------
    scores : array of shape (n_rows, n_components)
        Principal-component scores of the subject's BOLD in a story.
    horizon : int
        h, TRs.
    options : dict
        `order`, number of rows.

    Returns
    -------
    array of shape (n_rows, order * n_components)
    """
    return delay(scores, [horizon + k for k in range(options["order"])])


KIND = Kind("ar", "responses", compute, fir=False, options={"order": 4, "horizon": None})
