"""What the report says of single fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.fit.run import EDGE_SHARE


def fit_facts(path: str | Path) -> dict[str, Any]:
    """Subject, model, solver, median alpha, bands left out, voxels at the edges of the alphas.

    `left_out` is the share of all bands of all voxels, `edge` whether more voxels are at an edge
    than should be.
    """
    with h5py.File(path) as file:
        facts = {key: file.attrs[key] for key in ("subject", "model", "solver")}
        shares = {key: float(file.attrs[key]) for key in ("alpha_at_min", "alpha_at_max")}
        alpha = file["alpha"][:]
    used = np.isfinite(alpha)
    regularisation = {"alpha": float(np.median(alpha[used])), "left_out": 1 - float(used.mean())}
    return facts | shares | regularisation | {"edge": max(shares.values()) > EDGE_SHARE}


def read_r(fits: Mapping[tuple[str, str], str | Path], subject: str) -> dict[str, np.ndarray]:
    """Test r of every model of a subject, arrays of shape (n_voxels,)."""
    found = {}
    for (own, model), path in fits.items():
        if own == subject:
            with h5py.File(path) as file:
                found[model] = np.asarray(file["r"][:], np.float64)
    return found
