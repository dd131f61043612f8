"""Sound inputs as fMRIPrep leaves them, with a table of runs, and how each is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.config.load import load
from pipeline.config.stories import all_stories
from pipeline.core.errors import ProblemError
from pipeline.dataset.clean import read_nuisance
from pipeline.dataset.dataset import Dataset
from pipeline.readers.formats import open_responses, vertices_of
from pipeline.readers.sidecar import sidecar_of
from pipeline.runs.command import main
from pipeline.validation.dataset import check_dataset
from pipeline.validation.responses import check_responses
from tests.fuzz.registry import Specimen
from tests.helpers import fmriprep

FUNC = Path("derivatives/fmriprep/sub-01/func")
STEM = "sub-01_task-one_"
STRATEGY = {"strategy": ["motion", "scrub"], "motion": "derivatives", "scrub": 0}
CONFIG = {
    "name": "damaged",
    "data_root": "$DAMAGED",
    "runs": "$DAMAGED/runs.tsv",
    "stories": {"test": ["five"]},
    "timing": {"tr": fmriprep.TR, "trim": [4, 2]},
    "features": {"wordrate": {}},
    "models": {"wordrate": ["wordrate"]},
    "baseline": "wordrate",
    "fit": {"n_folds": 3},
}


def write_runs(root: Path) -> None:
    """Write surfaces, CIFTI, confounds, sidecars, transcripts, and the table of CIFTI runs."""
    fmriprep.write_tree(root, forms=["surface", "cifti"])
    options = {"bids": root, "derivatives": "fmriprep", "task": ",".join(fmriprep.TASKS)}
    options |= {"form": "cifti", "transcript": "stimuli/{story}.TextGrid"}
    main([str(part) for key, value in options.items() for part in (f"--{key}", value)])
    (root / "config.yaml").write_text(yaml.safe_dump(CONFIG))


def _file(form: str, **names: str) -> Path:
    return FUNC / (STEM + fmriprep.FORMS[form].format(**names))


def _responses(path: Path) -> Any:
    """Check responses as the validation does, then read them and where they lie."""

    def read(root: Path) -> tuple[Any, list[str]]:
        options = {"mask": None, "tr": fmriprep.TR}
        findings = check_responses(root / path, fmriprep.N_VOLUMES, options).findings
        if findings.problems:
            raise ProblemError(findings.problems)
        with open_responses(root / path, options) as values:
            read = {"values": np.array(values[:]), "n": vertices_of(root / path).n_values}
        read["starts"] = sidecar_of(root / path).start_time
        return read, [str(warning) for warning in findings.warnings]

    return read


def _confounds(root: Path) -> tuple[Any, list[str]]:
    found = read_nuisance(root / _file("cifti"), STRATEGY, fmriprep.N_VOLUMES)
    return {"confounds": found.confounds, "counted": found.counted}, []


def _table(root: Path) -> tuple[Any, list[str]]:
    """The configuration with its table, and the dataset checked."""
    os.environ["DAMAGED"] = str(root)
    config = load(root / "config.yaml")
    findings = check_dataset(config).findings
    if findings.problems:
        raise ProblemError(findings.problems)
    dataset = Dataset.from_config(config)
    values = {
        "subjects": config["subjects"],
        "stories": config["stories"],
        "files": [str(dataset.source("01", s).relative_to(root)) for s in all_stories(config)],
        "words": [str(dataset.transcript(s).relative_to(root)) for s in all_stories(config)],
    }
    return values, [str(warning) for warning in findings.warnings]


def _specimen(title: str, path: Path, read: Any) -> Specimen:
    return Specimen(title, lambda root: root / path, read, "runs")


_left, _right = (_file("surface", hemi=hemi) for hemi in "LR")
GIFTI = _specimen("GIFTI run, left", _left, _responses(_left))
RIGHT = _specimen("GIFTI run, right", _right, _responses(_left))
CIFTI = _specimen("CIFTI run", _file("cifti"), _responses(_file("cifti")))
SIDECAR = _specimen(
    "Sidecar of a run",
    FUNC / (STEM + fmriprep.FORMS["cifti"].replace(".dtseries.nii", ".json")),
    _responses(_file("cifti")),
)
CONFOUNDS = _specimen(
    "Confounds of fMRIPrep", FUNC / f"{STEM}desc-confounds_timeseries.tsv", _confounds
)
RUNS = _specimen("Table of runs", Path("runs.tsv"), _table)
