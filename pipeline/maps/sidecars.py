"""What a file of values shows, in a JSON beside it, as BIDS derivatives have it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_text

VALUES = ("nifti", "gifti", "cifti")  # kinds of files that have a sidecar; the others are pictures
ENDINGS = (".nii.gz", ".func.gii", ".dscalar.nii")
COMPUTED = {
    "r": "Pearson r of predicted and measured responses on each test story, mean over test stories",
    "rdiff": "that r of the model, minus that r of the model subtracted",
    "share": "the band's part of R2 on the test stories (product measure)",
    "peak": "time after the word at which the response to the band is largest, by the model's "
    "weights over delays; voxels that cross-validation predicts",
    "width": "width of the response to the band, by the model's weights over delays; voxels that "
    "cross-validation predicts",
    "rgb": "scores of the band's weights on their first three principal axes, one volume each as "
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
