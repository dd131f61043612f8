"""What the report says of single fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.fit.file import MANY, FitFile


def fit_facts(path: str | Path) -> dict[str, Any]:
    """Subject, model, solver, median alpha, bands left out, voxels at the edges of the alphas.

    `left_out` is the share of all bands of all voxels, `edge` whether more voxels are at an edge
    than should be.
    """
    fit = FitFile(path)
    attributes, alpha = fit.attributes(), fit.alpha()
    facts = {key: attributes[key] for key in ("subject", "model", "solver")}
    at_edges = {key: float(attributes[key]) for key in ("alpha_at_min", "alpha_at_max")}
    used = np.isfinite(alpha)
    regularisation = {"alpha": float(np.median(alpha[used])), "left_out": 1 - float(used.mean())}
    return facts | at_edges | regularisation | {"edge": max(at_edges.values()) > MANY}


def read_r(fits: Mapping[tuple[str, str], str | Path], subject: str) -> dict[str, np.ndarray]:
    """Test r of every model of a subject, arrays of shape (n_voxels,)."""
    return {
        model: np.asarray(FitFile(path).r(), np.float64)
        for (own, model), path in fits.items()
        if own == subject
    }
