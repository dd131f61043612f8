"""Small datasets in the layout of ds003020, written without the code under test."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np

from pipeline.config.load import complete

Intervals = Sequence[tuple[Any, Any, str]]  # start, end, label

N_SCANNED, N_ROWS, N_VOXELS = 40, 20, 12
WORDS = [(0.0, 1.0, "sp"), (1.0, 1.5, "Once"), (1.5, 2.25, "upon"), (2.25, 9.0, "{BR}")]


def long_textgrid(tiers: dict[str, Intervals]) -> str:
    """A TextGrid in Praat's long format."""
    end = max((float(i[1]) for tier in tiers.values() for i in tier), default=1.0)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 "]
    lines += [f"xmax = {end} ", "tiers? <exists> ", f"size = {len(tiers)} ", "item []: "]
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier" ']
        lines += [f'        name = "{name}" ', "        xmin = 0 ", f"        xmax = {end} "]
        lines += [f"        intervals: size = {len(intervals)} "]
        for i, (start, stop, label) in enumerate(intervals, start=1):
            lines += [f"        intervals [{i}]:", f"            xmin = {start} "]
            quoted = label.replace('"', '""')
            lines += [f"            xmax = {stop} ", f'            text = "{quoted}" ']
    return "\n".join(lines) + "\n"


def short_textgrid(tiers: dict[str, Intervals]) -> str:
    """A TextGrid in Praat's short format."""
    end = max((float(i[1]) for tier in tiers.values() for i in tier), default=1.0)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", f"{end}"]
    lines += ["<exists>", f"{len(tiers)}"]
    for name, intervals in tiers.items():
        lines += ['"IntervalTier"', f'"{name}"', "0", f"{end}", f"{len(intervals)}"]
        for start, stop, label in intervals:
            quoted = label.replace('"', '""')
            lines += [f"{start}", f"{stop}", f'"{quoted}"']
    return "\n".join(lines) + "\n"


def write_responses(path: Path, data: np.ndarray, **others: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in {"data": data, **others}.items():
            file[name] = values


def write_dataset(
    root: Path, stories: Iterable[str], subjects: Iterable[str], seed: int = 0
) -> None:
    """A dataset without a fault: stories of `N_SCANNED` volumes, an Eng1000 file and a mask."""
    rng = np.random.default_rng(seed)
    derivative = root / "derivative"
    (derivative / "TextGrids").mkdir(parents=True)
    text = long_textgrid({"phone": [(0.0, 9.0, "")], "word": WORDS})
    for story in stories:
        (derivative / "TextGrids" / f"{story}.TextGrid").write_text(text)
        for subject in subjects:
            path = derivative / "preprocessed_data" / subject / f"{story}.hf5"
            write_responses(path, rng.standard_normal((N_ROWS, N_VOXELS)).astype(np.float32))
    (derivative / "respdict.json").write_text(json.dumps(dict.fromkeys(stories, N_SCANNED)))
    with h5py.File(derivative / "english1000sm.hf5", "w") as file:
        file["data"] = rng.standard_normal((985, 3))
        file["vocab"] = np.array([b"once", b"upon", b"time"])
    write_mask(root / "mask.nii.gz", N_VOXELS)


def write_mask(path: Path, n_voxels: int) -> None:
    """A mask with the first `n_voxels` voxels inside."""
    mask = (np.arange(4**3) < n_voxels).reshape(4, 4, 4).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), path)


def make_config(root: Path, stories: Sequence[str], subjects: Any, **others: Any) -> dict[str, Any]:
    """Complete configuration of such a dataset; the last story is the test story."""
    config = {
        "name": "unit",
        "data_root": str(root),
        "subjects": subjects,
        "stories": {"train": list(stories[:-1]), "test": list(stories[-1:])},
        "features": {"eng1000": None},
        "models": {"eng1000": ["eng1000"]},
        "mask": {"path": str(root / "mask.nii.gz")},
        "fit": {"n_folds": 3},
        "statistics": {"min_shift": 5, "alpha": 0.1},  # 11 shifts: p can be below it
    }
    return complete(config | others)
