"""The input files of a run: which they are, what is in them, and whether they have changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gim.files import file_digest
from pipeline.config.results import made_here
from pipeline.config.stories import all_stories, subjects_and_stories, training_stories
from pipeline.core.places import Places
from pipeline.core.progress import track
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.prepare import reading_options
from pipeline.readers.formats import region_names, shape_of
from pipeline.validation.bands import recording_files
from pipeline.validation.embedding import embedding_files, needs
from pipeline.validation.masks import mask_files, mesh_files
from pipeline.validation.models import language_model_files, model_files
from pipeline.validation.tables import table_files


def input_files(config: dict[str, Any]) -> list[Path]:
    """Every input file that a configuration uses, in a fixed order, there or not."""
    return list(dict.fromkeys([*dataset_files(config), *settings_files(config)]))


def dataset_files(config: dict[str, Any]) -> list[Path]:
    """The files that everything rests on: transcripts, responses, volume counts."""
    dataset = Dataset.from_config(config)
    files = [
        *([dataset.respdict] if isinstance(config["responses"]["volumes"], str) else []),
        *([dataset.runs.path] if dataset.runs else []),
        *(dataset.transcript(story) for story in all_stories(config)),
        *(f for s, story in subjects_and_stories(config) for f in dataset.files(s, story)),
    ]
    return list(dict.fromkeys(files))


def settings_files(config: dict[str, Any]) -> list[Path]:
    """Every other input file: what bands and maps are made with."""
    dataset = Dataset.from_config(config)
    truth = dataset.truth.rglob("*") if needs(config, "truth") else ()
    files = [
        *embedding_files(config),
        *model_files(config).values(),
        *recording_files(config),
        *language_model_files(config),
        *table_files(config),
        *mask_files(config).values(),
        *mesh_files(config),
        *sorted(path for path in truth if path.is_file()),
    ]
    return list(dict.fromkeys(files))


def manifest(
    config: dict[str, Any], dropped_voxels: Mapping[str, Sequence[int]] | None = None
) -> dict[str, Any]:
    """Describe the dataset of a run: its files, rows and voxels.

    Parameters
    ----------
    config : dict
        Complete configuration of a dataset that `validate` accepts.
    dropped_voxels : mapping of subject to int, optional
        Of `pipeline.validation.dataset.CheckedDataset`.

    Returns
    -------
    dict
        `files` (`describe_files`); `n_rows`, story to rows; `n_voxels`, subject to voxels;
        `dropped_voxels`, subject to indices, where there are any; `regions`, subject to names,
        where the responses are of regions. Equal input gives an equal dict.
    """
    dataset = Dataset.from_config(config)
    named = {subject: _regions(config, dataset, subject) for subject in config["subjects"]}
    return {
        "files": describe_files(config, dataset_files(config)),
        "n_rows": {story: dataset.grid(story).n_rows for story in all_stories(config)},
        "n_voxels": {
            subject: _n_voxels(config, dataset, subject) for subject in config["subjects"]
        },
        "dropped_voxels": {s: list(voxels) for s, voxels in (dropped_voxels or {}).items()},
        "regions": {subject: names for subject, names in named.items() if names is not None},
    }


def describe_files(config: dict[str, Any], files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """`bytes` and `sha256` of files, by path: in the dataset, or as the configuration has it."""
    root, places = Path(config["data_root"]), Places(config)
    return {
        places.hide(_name(path, root)): _describe(path) for path in track(list(files), "checksums")
    }


def _n_voxels(config: dict[str, Any], dataset: Dataset, subject: str) -> int:
    """Voxels in a subject's responses to any one story."""
    path = dataset.source(subject, training_stories(config, subject)[0])
    return shape_of(path, reading_options(config, subject))[1]


def _regions(config: dict[str, Any], dataset: Dataset, subject: str) -> list[str] | None:
    """Names of a subject's regions as the first training story has them."""
    path = dataset.source(subject, training_stories(config, subject)[0])
    return region_names(path, reading_options(config, subject))


def fingerprint(config: dict[str, Any], files: Iterable[Path]) -> str:
    """Cheap digest of raw input, from the sizes and times of its files.

    It changes when a file is fetched or changed, and needs none to exist. The files of a simulated
    dataset, which a rule of the workflow writes, are represented by the settings of the simulation.
    """
    kept = [path for path in files if not made_here(config, path)]
    lines = [f"{path.as_posix()} {_state(path)}" for path in kept]
    lines.append(json.dumps([config["simulate"], config["seeds"]["simulation"]], sort_keys=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _name(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _describe(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_digest(path)}


def _state(path: Path) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return "absent"
    return f"{status.st_size} {status.st_mtime_ns}"
