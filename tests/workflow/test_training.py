"""The targets pretrain and distill."""

import json

import pytest
import yaml

from gim.encoder.encoder import Encoder
from tests.workflow.test_language_model import write_corpus

pytestmark = pytest.mark.workflow


@pytest.fixture
def training(project):
    """Settings of two trainings of two steps."""
    common = {
        "data": {
            "corpora": [write_corpus(project.folder / "train.jsonl", 0)],
            "length": 70,
            "hold_out": 3,
            "cache": "results/tokens",
        },
        "optimisation": {"steps": 2, "batch": 2},
    }
    shape = {"width": 16, "layers": 1, "heads": 2}
    files = {
        "pretrain": common | {"out": "results/teacher", "model": shape | {"context": 128}},
        "distill": common
        | {
            "out": "results/encoder",
            "teacher": "results/teacher",
            "encoder": shape,
            "queries": 8,
            "candidates": 16,
        },
    }
    for name, values in files.items():
        (project.folder / f"{name}.yaml").write_text(yaml.safe_dump(values))
    return {name: f"{name}.yaml" for name in files}


def test_distill_makes_its_teacher_first(project, training):
    project.snakemake(project.configure("tiny", training=training), "distill")
    folder = project.folder / "results"
    assert Encoder.from_pretrained(folder / "encoder").config.width == 16
    about = json.loads((folder / "encoder" / "training.json").read_text())
    assert about["teacher"] == "results/teacher" and "validation_recall1" in about["figures"]
    again = project.snakemake(project.configure("tiny", training=training), "-n", "distill")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_wrong_settings_are_said_before_anything_runs(project, training):
    (project.folder / "distill.yaml").write_text("out: x\nteachers: y\n")
    config = project.configure("tiny", training=training)
    done = project.snakemake(config, "-n", "distill", check=False)
    assert done.returncode != 0
    assert "distill.yaml: unknown key teachers" in done.stdout + done.stderr
