"""Voxelwise encoding models of story listening, a folder a stage.

    stimuli -> features -> design -> fit -> score -> maps, report

It uses `gim` and knows nothing of Snakemake. Begin with the map in CONTRIBUTING.md, or with
`fit.run`, which all the others serve; in a notebook, with `Run`, a finished run.
"""

from importlib import import_module
from typing import Any

__all__ = ["Run"]


def __getattr__(name: str) -> Any:
    if name == "Run":  # on first use, so that importing a part stays quick
        return import_module("pipeline.finished.run").Run
    raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
