"""The table of variance partitionings: what each combination of spaces explains, and the total."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from pipeline.config.partitions import subsets
from pipeline.core.correlation import top_voxels

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
        HDF5 files of `write_partition`.
    full : dict of (subject, partition) to path
        Fits of all spaces together, whose cross-validation r chooses the best 10 % of voxels.
    """
    rows = []
    for (subject, partition), path in files.items():
        with h5py.File(full[subject, partition]) as fit:
            best = top_voxels(np.asarray(fit["r_cv"][:], np.float64))
        with h5py.File(path) as file:
            spaces = file["spaces"].asstr()[:].tolist()
            total = np.asarray(file[f"r2/{'+'.join(spaces)}"][:], np.float64)
            values = {name: np.asarray(data[:], np.float64) for name, data in file["part"].items()}
            tests = {space: _counts(group) for space, group in file["test"].items()}
        names = ["&".join(shared) for shared in subsets(spaces)]
        for name, r2 in [(n, values[n]) for n in names] + [("total", total)]:
            kind = "total" if name == "total" else "shared" if "&" in name else "unique"
            means = {"r2_mean": np.nanmean(r2), "r2_top10": np.nanmean(r2[best])}
            row = {"subject": subject, "partition": partition, "part": name, "kind": kind}
            rows.append(row | {"n_voxels": (~np.isnan(r2)).sum()} | means | tests.get(name, {}))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_fdr": "Int64"})


def _counts(group: h5py.Group) -> dict[str, Any]:
    significant = int((group["q"][:] < group.attrs["alpha"]).sum())
    return {"n_fdr": significant, "p_mean": float(group.attrs["p_mean"])}
