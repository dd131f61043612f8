"""Tables of a run: how many voxels are significant, and how near to their ceiling they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.fit.file import FitFile
from pipeline.statistics.ceiling_file import Ceiling, CeilingFile
from pipeline.statistics.stats_file import StatsFile, VoxelTest

Paths = Mapping[tuple[str, str], str | Path]  # (subject, model) to file

SIGNIFICANCE = [
    "subject", "model", "test", "against", "n_voxels", "n_null", "p_floor", "n_fdr",
    "fraction_fdr", "n_fwer", "p_mean",
]  # fmt: skip
CEILING = [
    "subject", "model", "stories", "n_repeats", "n_voxels", "ceiling_mean", "r_mean",
    "r_ceiling_mean", "r_ceiling_lo", "r_ceiling_hi", "uses_bold", "reason",
]  # fmt: skip


def significance_table(statistics: Paths) -> pd.DataFrame:
    """One row per subject, model and test, columns `SIGNIFICANCE`.

    Counts are missing where no p can be below alpha: nothing was tested.

    Parameters
    ----------
    statistics : dict of (subject, model) to path
        HDF5 files of `pipeline.statistics.run.write_statistics`.
    """
    rows = [
        {"subject": subject, "model": model} | _counts(name, test)
        for (subject, model), path in statistics.items()
        for name, test in StatsFile(path).tests().items()
    ]
    table = pd.DataFrame(rows, columns=SIGNIFICANCE)
    return table.astype({"n_fdr": "Int64", "n_fwer": "Int64"})


def _counts(name: str, test: VoxelTest) -> dict[str, Any]:
    kind, _, against = name.partition("/")
    n_voxels, n_fdr = int((~np.isnan(test.p)).sum()), test.count_fdr()
    return {
        "test": kind,
        "against": against or None,
        "n_voxels": n_voxels,
        "n_null": int(test.attributes["n_null"]),
        "p_floor": float(test.attributes["p_floor"]),
        "n_fdr": n_fdr,
        "fraction_fdr": n_fdr / n_voxels if n_voxels and n_fdr is not None else np.nan,
        "n_fwer": test.count_fwer(),
        "p_mean": float(test.attributes["p_mean"]),
    }


def ceiling_table(
    statistics: Paths, fits: Paths, ceilings: Mapping[str, str | Path]
) -> pd.DataFrame:
    """One row per subject and model, columns `CEILING`.

    `ceiling_mean` and `r_mean` are over the voxels that have a ceiling, and the repeated stories.

    Parameters
    ----------
    statistics, fits : dict of (subject, model) to path
        HDF5 files of `pipeline.statistics.run.write_statistics` and of the fits.
    ceilings : dict of subject to path
        HDF5 files of `pipeline.statistics.run.write_ceiling`.
    """
    known = {subject: CeilingFile(path).read() for subject, path in ceilings.items()}
    rows = []
    for (subject, model), path in statistics.items():
        file = StatsFile(path)
        ends = ("r_ceiling_mean", "r_ceiling_lo", "r_ceiling_hi")
        rows.append(
            {"subject": subject, "model": model, "uses_bold": file.uses_bold()}
            | _near(known[subject], FitFile(fits[subject, model]))
            | dict(zip(ends, file.r_ceiling_mean(), strict=True))
        )
    return pd.DataFrame(rows, columns=CEILING)


def _near(known: Ceiling, fit: FitFile) -> dict[str, Any]:
    r_test = fit.r_test()
    r = np.array([r_test[story] for story in known.stories]).reshape(known.ceiling.shape)
    has_ceiling = ~np.isnan(known.ceiling)
    return {
        "stories": "+".join(known.stories) or None,
        "n_repeats": "+".join(map(str, known.n_repeats)) or None,
        "n_voxels": int(has_ceiling.any(axis=0).sum()) if len(known.stories) else 0,
        "ceiling_mean": _mean(known.ceiling[has_ceiling]),
        "r_mean": _mean(r[has_ceiling]),
        "reason": known.reason or None,
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
