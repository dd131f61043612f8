"""Where a result comes from: configuration, seeds, versions, commit, inputs."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "gim-encoding", "h5py", "himalaya", "nibabel", "nilearn", "numpy", "pandas", "scikit-learn",
    "scipy", "snakemake", "torch", "transformers",
)  # fmt: skip


def commit() -> str:
    """Git commit of the project, `-dirty` with uncommitted changes; "unknown" outside git."""
    folder = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of installed packages."""
    return {"python": platform.python_version()} | {p: version(p) for p in packages}


def describe(config: dict[str, Any], manifest: str | Path) -> dict[str, Any]:
    """All that is needed to make a result again.

    Parameters
    ----------
    config : dict
        The complete configuration.
    manifest : str or Path
        The manifest of the inputs (checksums of every file).
    """
    return {
        "config": config,
        "commit": commit(),
        "versions": versions(PACKAGES),
        "inputs_sha256": hashlib.sha256(Path(manifest).read_bytes()).hexdigest(),
    }


def as_attribute(description: dict[str, Any]) -> str:
    """`describe` as one JSON string, for HDF5 attributes."""
    return json.dumps(description, sort_keys=True)
