"""Checks of what puts responses back into the brain: the mask, and the meshes of a surface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config.results import Results
from pipeline.core.errors import Findings, ProblemError
from pipeline.core.files import file_problem
from pipeline.readers.formats import vertices_of
from pipeline.voxels.mesh import own_meshes
from pipeline.voxels.volume import Mask

_REMEDY = "use the mask that the responses were extracted with"


def mask_files(config: dict[str, Any]) -> dict[str, Path]:
    """The mask of each subject; none if the configuration has none."""
    if config["mask"] is None:
        return {}
    path = config["mask"]["path"]
    return {subject: Path(path.replace("{subject}", subject)) for subject in config["subjects"]}


def check_masks(config: dict[str, Any], n_voxels: Mapping[str, int]) -> Findings:
    """Check every subject's mask, and that it has as many voxels as the responses.

    Parameters
    ----------
    config : dict
        Complete configuration.
    n_voxels : mapping of str to int
        Voxels of each subject whose responses could be read.
    """
    findings = Findings()
    sizes: dict[Path, int | None] = {}
    for subject, path in mask_files(config).items():
        if path not in sizes:
            sizes[path] = _size(config["mask"], subject, path, findings)
        size = sizes[path]
        if size is not None and n_voxels.get(subject, size) != size:
            what = f"{size} voxels in the mask, but {n_voxels[subject]} in {subject}'s responses"
            findings.problem(path, "", what, _REMEDY)
    return findings


def mesh_files(config: dict[str, Any]) -> list[Path]:
    """The meshes of all subjects that the configuration names."""
    given = [Results(config).meshes(subject) or {} for subject in config["subjects"]]
    return list(dict.fromkeys(Path(path) for meshes in given for path in meshes.values()))


def check_meshes(config: dict[str, Any]) -> Findings:
    """Check the meshes that the configuration names, and that the responses lie on a surface."""
    findings, files = Findings(), Results(config)
    for subject in config["subjects"] if config["surface"] else ():
        recording, meshes = files.on_surface(subject), files.meshes(subject)
        if recording is None:
            what, remedy = "the responses are not on a surface", "remove `surface`; set `mask`"
            findings.problem("configuration", "surface", what, remedy)
            break
        if file_problem(recording) is not None or meshes is None:
            continue  # which is told with the responses
        try:
            own_meshes(vertices_of(recording), meshes)
        except ProblemError as error:
            findings.problems += error.problems
    return findings


def _size(options: dict[str, Any], subject: str, path: Path, findings: Findings) -> int | None:
    """Voxels inside a mask; None and a problem if it is no mask."""
    if problem := file_problem(path):
        findings.problems.append(problem)
        return None
    try:
        return Mask.from_config(options, subject).n_voxels
    except ProblemError as error:
        findings.problems += error.problems
        return None
