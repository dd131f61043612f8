"""Where a result comes from: configuration, seeds, versions, commit, inputs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gim.provenance import commit, versions
from pipeline.core.places import Places

PACKAGES = (
    "gim-encoding", "h5py", "himalaya", "nibabel", "nilearn", "numpy", "pandas", "scikit-learn",
    "scipy", "snakemake", "torch", "transformers",
)  # fmt: skip


def describe(config: dict[str, Any], manifest: str | Path) -> dict[str, Any]:
    """All that is needed to make a result again.

    Parameters
    ----------
    config : dict
        The complete configuration; it is described as it was written, without tokens.
    manifest : str or Path
        The manifest of the inputs (checksums of every file).
    """
    return {
        "config": Places(config).published(config),
        "commit": commit(),
        "versions": versions(PACKAGES),
        "inputs_sha256": hashlib.sha256(Path(manifest).read_bytes()).hexdigest(),
    }


def as_attribute(description: dict[str, Any]) -> str:
    """`describe` as one JSON string, for HDF5 attributes."""
    return json.dumps(description, sort_keys=True)
