"""What a file of values shows, in a JSON beside it, as BIDS derivatives have it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_text

VALUES = ("nifti", "gifti", "cifti")  # kinds of files that have a sidecar; the others are pictures
ENDINGS = (".nii.gz", ".func.gii", ".dscalar.nii")
_MEAN = "out-of-fold r of the training stories, or its difference, mean over stories and subjects"
COMPUTED = {
    "r": "Pearson r of predicted and measured responses on each test story, mean over test stories",
    "rdiff": "that r of the model, minus that r of the model subtracted",
    "mean": _MEAN,
    "meanpfwer": f"{_MEAN}; where the sign-flip p against the largest voxel passes",
    "meanpcluster": f"{_MEAN}; where the sign-flip p of the cluster's size passes",
    "t": f"{_MEAN}, over its standard error over subjects",
    "pfwer": "two-sided sign-flip p against the largest t of any voxel",
    "pcluster": "sign-flip p of the voxel's cluster, by size against the largest; 1 outside",
    "prevalence": "posterior mode of the share of the population whose own test finds it",
    "share": "the band's part of R2 on the test stories (product measure)",
    "peak": "time after the word at which the response to the band is largest, by the model's "
    "weights over delays; voxels that cross-validation predicts",
    "width": "width of the response to the band, by the model's weights over delays; voxels that "
    "cross-validation predicts",
    "rgb": "scores of the band's weights on their first three principal axes, one map each as "
    "red, green and blue, 0 to 1; voxels that cross-validation predicts",
}


def sidecar_of(path: Path) -> Path:
    """The JSON beside a file of values."""
    ending = next(ending for ending in ENDINGS if path.name.endswith(ending))
    return path.with_name(path.name.removesuffix(ending) + ".json")


def write_sidecar(path: Path, record: Mapping[str, Any], sources: Iterable[str] = ()) -> None:
    """Say what a file of values shows: how it was computed, of which model, in which unit.

    Parameters
    ----------
    path : Path
        The file.
    record : mapping
        `stat` (a key of `COMPUTED`), `title` and `unit`, and what applies of `model`, `minus`,
        `band` and `q`.
    sources : iterable of str
        Files of the run, relative to its folder, that the values come from.
    """
    said = {
        "Description": record["title"],
        "Computation": COMPUTED[record["stat"]],
        "Units": record["unit"],
        "Model": record.get("model"),
        "ModelSubtracted": record.get("minus"),
        "Band": record.get("band"),
        "FalseDiscoveryRate": record.get("q"),
        "Sources": [f"bids::{source}" for source in sources],
    }
    kept = {key: value for key, value in said.items() if value not in (None, [])}
    write_text(sidecar_of(path), json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def write_sidecars(
    records: Iterable[Mapping[str, Any]], folder: Path, fits: Mapping[str, str | Path]
) -> None:
    """Write the sidecars of all maps of a subject.

    Parameters
    ----------
    records : iterable of mapping
        One a file (`pipeline.maps.voxelmap.VoxelMap.record`).
    folder : Path
        Where the files are: the subject's folder in that of the run.
    fits : mapping of model to path
        The fits that they were made of.
    """
    for record in records:
        if record["kind"] in VALUES:
            shown = filter(None, (record["model"], record["minus"]))
            sources = [f"{folder.name}/{Path(fits[model]).name}" for model in shown]
            write_sidecar(folder / record["file"], record, sources)


def write_group_sidecars(
    records: Iterable[Mapping[str, Any]], folder: Path, fits: Mapping[tuple[str, str], str | Path]
) -> None:
    """Write the sidecars of all maps over subjects.

    Parameters
    ----------
    records : iterable of mapping
        One a file (`pipeline.maps.group.GroupMap.record`); the title says which p it passes.
    folder : Path
        Where the files are.
    fits : mapping of (subject, model) to path
        The fits of all subjects.
    """
    for record in records:
        if record["kind"] in VALUES:
            shown = (record["model"], record["minus"])
            paths = [Path(path) for (_, model), path in fits.items() if model in shown]
            sources = [f"{path.parent.name}/{path.name}" for path in paths]
            write_sidecar(folder / record["file"], {**record, "q": None}, sources)
