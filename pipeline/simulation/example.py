"""A small dataset as many laboratories have theirs, to try `config/own.yaml` on (docs/data.md).

    python -m pipeline.example data/own

Whole NIfTI runs under BIDS names, a mask, and the words as events: a simulated subject's, so that
it can be known what must come out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import pandas as pd

from pipeline.core.atomic import atomic_path
from pipeline.core.random import generator
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.grid import Grid
from pipeline.simulation.settings import Settings, story_names
from pipeline.simulation.simulate import simulate
from pipeline.simulation.write import write_table
from pipeline.voxels.volume import Mask, to_volume

SUBJECT, SEED = "SIM01", 0
SETTINGS = Settings(n_train=4, n_test=1, rows=(50, 60), n_voxels=150, n_repeats=2)
MEAN, DEVIATION = 100.0, 2.0  # as of a run in per cent of its mean


def write_example(root: str | Path) -> None:
    """Write the runs, the events and the mask.

    Parameters
    ----------
    root : path
        Folder to fill: a run for each story in `sub-SIM01/func/`, its events in `stimuli/`, the
        mask, and the Eng1000 file.
    """
    root = Path(root)
    with TemporaryDirectory() as folder:
        simulate(Path(folder), [SUBJECT], SETTINGS, SEED)
        source = Dataset(Path(folder), {})
        mask = Mask.from_file(source.root / "mask.nii.gz")
        for story in [story for part in story_names(SETTINGS) for story in part]:
            grid = source.grid(story)
            _write_events(root / "stimuli" / f"{story}_events.tsv", source.read_words(story), grid)
            run = _run(source.read_responses(SUBJECT, story), grid, story)
            name = f"sub-{SUBJECT}_task-{story}_bold.nii.gz"
            _save(_image(run, mask, grid.tr), root / f"sub-{SUBJECT}" / "func" / name)
        _save(mask.img, root / "mask.nii.gz")
        with atomic_path(root / source.eng1000.name) as path:
            path.write_bytes(source.eng1000.read_bytes())


def _write_events(path: Path, words: pd.DataFrame, grid: Grid) -> None:
    """BIDS events: times from the first volume of the run, and other events between the words."""
    onset, duration = words["onset"] + grid.sound_start, words["offset"] - words["onset"]
    events = pd.DataFrame({"onset": onset, "duration": duration, "trial_type": "word"})
    events["value"] = words["word"]
    button = {"onset": [0.0], "duration": [0.0], "trial_type": "button", "value": "left"}
    write_table(path, pd.concat([pd.DataFrame(button), events]))


def _run(responses: np.ndarray, grid: Grid, story: str) -> np.ndarray:
    """All volumes of the run: at its start and end, which are trimmed, it is noise."""
    before, after = grid.trim
    noise = generator(SEED, "example", story)
    parts = [noise.standard_normal((n, responses.shape[1])) for n in (before, after)]
    return MEAN + DEVIATION * np.concatenate([parts[0], responses, parts[1]])


def _image(run: np.ndarray, mask: Mask, tr: float) -> nib.Nifti1Image:
    volumes = [to_volume(row, mask, fill=0.0) for row in run]
    img = nib.concat_images(volumes)
    img.header.set_zooms((*mask.img.header.get_zooms()[:3], tr))
    img.header.set_xyzt_units("mm", "sec")
    return img


def _save(img: nib.Nifti1Image, path: Path) -> None:
    with atomic_path(path) as temporary:
        nib.save(img, temporary)


def main() -> None:
    """Command line of `python -m pipeline.example`."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.example", description="Write a small dataset for config/own.yaml."
    )
    parser.add_argument("root", help="folder to fill")
    write_example(parser.parse_args().root)
