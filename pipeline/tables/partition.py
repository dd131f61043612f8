"""The table of variance partitionings: what each combination of spaces explains, and the total."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.series import mean_of, top_voxels
from pipeline.fit.file import FitFile
from pipeline.statistics.partition_file import PartitionFile
from pipeline.statistics.stats_file import VoxelTest

COLUMNS = [
    "subject", "partition", "part", "kind", "n_voxels", "r2_mean", "r2_top10", "n_fdr", "p_mean",
]  # fmt: skip


def partition_table(
    files: Mapping[tuple[str, str], str | Path], full: Mapping[tuple[str, str], str | Path]
) -> pd.DataFrame:
    """One row per subject, partition and part, columns `COLUMNS`.

    Parameters
    ----------
    files : dict of (subject, partition) to path
        HDF5 files of `pipeline.statistics.partition.write_partition`.
    full : dict of (subject, partition) to path
        Fits of all spaces together, whose cross-validation r chooses the best 10 % of voxels
        (none of fewer than 100: `r2_top10` is then NaN).
    """
    rows = []
    for (subject, partition), path in files.items():
        best = top_voxels(FitFile(full[subject, partition]).scores().r_cv)
        found = PartitionFile(path).read()
        values = {"&".join(spaces): r2 for spaces, r2 in found.parts.items()}
        tests = {space: _counts(test) for space, test in found.tests.items()}
        for name, r2 in (values | {"total": found.total}).items():
            kind = "total" if name == "total" else "shared" if "&" in name else "unique"
            means = {"r2_mean": np.nanmean(r2), "r2_top10": float(mean_of(r2, best))}
            row = {"subject": subject, "partition": partition, "part": name, "kind": kind}
            rows.append(row | {"n_voxels": (~np.isnan(r2)).sum()} | means | tests.get(name, {}))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_fdr": "Int64"})


def _counts(test: VoxelTest) -> dict[str, Any]:
    return {"n_fdr": test.count_fdr(), "p_mean": float(test.attributes["p_mean"])}
