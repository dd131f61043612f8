"""Sound inputs of other formats than ds003020's, small and made by hand, and how each is read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd

from pipeline.core.errors import ProblemError
from pipeline.readers.formats import open_responses, read_transcript
from pipeline.regions.labels import read_labels
from pipeline.report.sweep import read_run
from pipeline.validation.regions import check_regions
from pipeline.validation.responses import check_responses
from pipeline.voxels.vectors import read_vector
from pipeline.voxels.volume import Mask, to_volume
from tests.fuzz.registry import Specimen

SHAPE, AFFINE, TR, N_ROWS = (4, 5, 6), np.diag([3.0, 3.0, 3.0, 1.0]), 2.0, 8
EVENTS = {"columns": {"word": "value"}, "where": {"trial_type": "word"}}
REGIONS = {1: "language", 2: "auditory", 3: "visual"}
HEMISPHERES = {"lh": 150, "rh": 130}  # vertices: as in a subject's own surfaces, not alike
ATLASES, ATLAS_NAME = "atlases/fsl/data/atlases", "cort-maxprob-thr25-2mm"
CENTRE = [3.0, -4.0, 5.0]


def write_formats(root: Path) -> None:
    """Write words, a run, tables, regions, surfaces and another run's tables into a folder."""
    rng = np.random.default_rng(0)
    _write_words(root)
    mask = _write_run(root, rng)
    table = pd.DataFrame(rng.standard_normal((N_ROWS, 3)), columns=["V1", "A1", "STG"])
    table.round(4).to_csv(root / "regions.csv", index=False)
    labels = np.where(mask, 1 + np.arange(mask.size).reshape(SHAPE) % 3, 0).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), root / "labels.nii.gz")
    lines = [f"{index}\t{name}\n" for index, name in REGIONS.items()]
    (root / "labels.tsv").write_text("index\tname\n" + "".join(lines), encoding="utf-8")
    _write_atlas(root / ATLASES, np.minimum(labels, 2))
    np.save(root / "vector.npy", rng.standard_normal(mask.sum()).astype(np.float32))
    for hemisphere, n in HEMISPHERES.items():
        _write_hemisphere(root, hemisphere, n, rng)
    _write_swept(root)


def _write_words(root: Path) -> None:
    onset = np.round(0.5 + 0.4 * np.arange(20), 2)
    words = [f"word{i}" for i in range(19)] + ["café"]
    table = pd.DataFrame({"word": words, "onset": onset, "offset": (onset + 0.3).round(2)})
    table.to_csv(root / "words.csv", index=False)
    events = pd.DataFrame(
        {"onset": onset, "duration": 0.3, "trial_type": "word", "value": table["word"]}
    )
    button = pd.DataFrame(
        {"onset": [0.1], "duration": [0.0], "trial_type": "button", "value": ["left"]}
    )
    pd.concat([button, events]).to_csv(root / "task-a_events.tsv", sep="\t", index=False)


def _write_run(root: Path, rng: np.random.Generator) -> np.ndarray:
    mask = rng.random(SHAPE) > 0.5
    nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), AFFINE), root / "mask.nii.gz")
    run = nibabel.Nifti1Image(rng.standard_normal((*SHAPE, N_ROWS)).astype(np.float32), AFFINE)
    run.header.set_zooms((3, 3, 3, TR))
    run.header.set_xyzt_units("mm", "sec")
    nibabel.save(run, root / "run.nii.gz")
    return mask


def _write_hemisphere(root: Path, hemisphere: str, n: int, rng: np.random.Generator) -> None:
    """Vertices within the mask's box, left ones at low x, in two regions."""
    side = {"lh": 0.0, "rh": 0.5}[hemisphere]
    places = rng.random((n, 3)) * [0.5, 1, 1] + [side, 0, 0]
    white = places * (np.array(SHAPE) - 1) * 3 - CENTRE
    faces = np.arange(n - n % 3).reshape(-1, 3)
    about = {"head": [2, 0, 20], "valid": "1  # volume info valid", "filename": "x.mgz"}
    about |= {"volume": [256] * 3, "voxelsize": [1.0] * 3, "cras": CENTRE}
    about |= {"xras": [-1.0, 0, 0], "yras": [0.0, 0, -1], "zras": [0.0, 1, 0]}
    for name, vertices in (("white", white), ("pial", white + 0.5)):
        path = str(root / f"{hemisphere}.{name}")
        nibabel.freesurfer.write_geometry(path, vertices, faces, volume_info=about)
    colours = np.array([[25, 5, 25, 0, 0], [10, 20, 30, 0, 0], [40, 50, 60, 0, 0]])
    names = ["unknown", "front", "back"]
    regions = np.where(white[:, 1] > white[:, 1].mean(), 1, 2)
    path = str(root / f"{hemisphere}.aparc.annot")
    nibabel.freesurfer.write_annot(path, regions, colours, names, fill_ctab=True)


def _write_atlas(folder: Path, labels: np.ndarray) -> None:
    """As nilearn keeps the Harvard-Oxford atlas: an image and a list of names."""
    (folder / "HarvardOxford").mkdir(parents=True)
    nibabel.save(
        nibabel.Nifti1Image(labels, AFFINE),
        folder / "HarvardOxford" / f"HarvardOxford-{ATLAS_NAME}.nii.gz",
    )
    names = "".join(f'<label index="{i}">{n}</label>' for i, n in enumerate(["West", "East"]))
    (folder / "HarvardOxford-Cortical.xml").write_text(f"<atlas><data>{names}</data></atlas>")


def _write_swept(root: Path) -> None:
    config = {"features": {"ngram": {}}, "horizon": 8}
    (root / "provenance.json").write_text(json.dumps({"config": config}))
    row = {"subject": "mean", "band": "ngram", "gain": 0.01, "gain_lo": 0.0, "gain_hi": 0.02}
    pd.DataFrame([row]).to_csv(root / "gains.tsv", sep="\t", index=False)


def _words(name: str, options: dict[str, Any]) -> Any:
    def read(root: Path) -> tuple[Any, list[str]]:
        return read_transcript(root / name, options).to_dict("list"), []

    return read


def _responses(name: str, **others: Any) -> Any:
    """Check responses as the validation does, then read them."""

    def read(root: Path) -> tuple[Any, list[str]]:
        options = {"mask": Mask.from_file(root / "mask.nii.gz"), "tr": TR, **others}
        findings = check_responses(root / name, N_ROWS, options).findings
        if findings.problems:
            raise ProblemError(findings.problems)
        with open_responses(root / name, options) as values:
            return np.array(values), [str(warning) for warning in findings.warnings]

    return read


def _regions(**options: str) -> Any:
    """Check a parcellation as the validation does, then read it."""

    def read(root: Path) -> tuple[Any, list[str]]:
        paths = {key: str(root / name) for key, name in options.items()}
        mask = {"path": str(root / "mask.nii.gz")}
        config = {"subjects": {"S1": {}}, "regions": {"own": paths}, "mask": mask}
        findings = check_regions(config)
        if findings.problems:
            raise ProblemError(findings.problems)
        labels = read_labels(paths, Mask.from_config(mask, "S1"), "S1")
        return labels.tolist(), [str(warning) for warning in findings.warnings]

    return read


def _atlas(root: Path) -> tuple[Any, list[str]]:
    os.environ["NILEARN_DATA"] = str(root / "atlases")
    mask = Mask.from_file(root / "mask.nii.gz")
    mni = Mask(mask.img, mask.order, "MNI", mask.source)
    options = {"atlas": "harvard_oxford", "options": {"atlas_name": ATLAS_NAME}}
    return read_labels(options, mni, "S1").tolist(), []


def _vector(root: Path) -> tuple[Any, list[str]]:
    mask = Mask.from_file(root / "mask.nii.gz")
    values = read_vector(root / "vector.npy", None)
    return to_volume(values, mask).get_fdata(), []


def _swept(root: Path) -> tuple[Any, list[str]]:
    config, gains = read_run(root / "provenance.json", root / "gains.tsv")
    return {"config": config, "gains": gains.to_dict("list")}, []


def _specimen(title: str, name: str, read: Any) -> Specimen:
    return Specimen(title, lambda root: root / name, read, "formats")


_surface = _regions(left="lh.aparc.annot", right="rh.aparc.annot", surfaces="")
_volume = _regions(volume="labels.nii.gz", names="labels.tsv")
WORDS = _specimen("Word table .csv", "words.csv", _words("words.csv", {}))
BIDS = _specimen("BIDS events .tsv", "task-a_events.tsv", _words("task-a_events.tsv", EVENTS))
RUN = _specimen("NIfTI run", "run.nii.gz", _responses("run.nii.gz"))
TABLE = _specimen("Response table .csv", "regions.csv", _responses("regions.csv"))
LABELS = _specimen("Labelled volume", "labels.nii.gz", _volume)
NAMES = _specimen("Names of regions", "labels.tsv", _volume)
ANNOTATION = _specimen("Annotation", "lh.aparc.annot", _surface)
WHITE = _specimen("Surface", "lh.white", _surface)
ATLAS = _specimen(
    "Atlas of nilearn", f"{ATLASES}/HarvardOxford/HarvardOxford-{ATLAS_NAME}.nii.gz", _atlas
)
ATLAS_NAMES = _specimen("Names of an atlas", f"{ATLASES}/HarvardOxford-Cortical.xml", _atlas)
VECTOR = _specimen("Voxel vector .npy", "vector.npy", _vector)
PROVENANCE = _specimen("Swept run: provenance.json", "provenance.json", _swept)
GAINS = _specimen("Swept run: gains.tsv", "gains.tsv", _swept)
