"""What the report says of single fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter, or_
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.fit.file import MANY, FitFile


def fit_facts(path: str | Path) -> dict[str, Any]:
    """Subject, model, solver, median alpha, bands left out, voxels at the edges of the alphas.

    `left_out` is the share of all bands of all voxels.
    """
    fit = FitFile(path)
    attributes, alpha = fit.attributes(), fit.alpha()
    facts = {key: attributes[key] for key in ("subject", "model", "solver")}
    at_edges = {key: float(attributes[key]) for key in ("alpha_at_min", "alpha_at_max")}
    used = np.isfinite(alpha)
    regularisation = {"alpha": float(np.median(alpha[used])), "left_out": 1 - float(used.mean())}
    return facts | at_edges | regularisation


def edges(fits: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Fits in which more voxels than should be are at an edge of the alphas.

    Parameters
    ----------
    fits : sequence of dict
        `fit_facts` of each.

    Returns
    -------
    dict or None
        `n` of them, `n_min` and `n_max` at either edge, the `most` voxels and the `fit` that has
        them; None where there are none.
    """
    at_min = [fit["alpha_at_min"] > MANY for fit in fits]
    at_max = [fit["alpha_at_max"] > MANY for fit in fits]
    if not any(at_min + at_max):
        return None
    most, worst = max(
        ((max(fit["alpha_at_min"], fit["alpha_at_max"]), fit) for fit in fits), key=itemgetter(0)
    )
    n = sum(map(or_, at_min, at_max))
    return {"n": n, "n_min": sum(at_min), "n_max": sum(at_max), "most": most, "fit": worst}


def read_r(fits: Mapping[tuple[str, str], str | Path], subject: str) -> dict[str, np.ndarray]:
    """Test r of every model of a subject, arrays of shape (n_voxels,)."""
    return {
        model: np.asarray(FitFile(path).r(), np.float64)
        for (own, model), path in fits.items()
        if own == subject
    }
