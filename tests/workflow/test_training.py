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
    config = project.configure("tiny", training=training)
    project.snakemake(config, "distill", "--forcerun", "distill")
    again = project.snakemake(config, "-n", "distill")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_folder_of_somebody_elses_stops_the_workflow_before_it_begins(project, training):
    thesis = project.folder / "results" / "encoder" / "thesis.tex"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("ten years")
    config = project.configure("tiny", training=training)
    done = project.snakemake(config, "-n", "distill", check=False)
    assert done.returncode != 0
    assert "results/encoder: it is there already" in done.stdout + done.stderr


def test_a_training_that_fails_leaves_the_model_before_it(project, training):
    """Snakemake deletes the outputs of a rule before it runs: folders must be none."""
    folder = project.folder / "results" / "teacher"
    folder.mkdir(parents=True)
    (folder / ".made-by-gim").touch()
    (folder / "model.safetensors").write_text("a week")
    settings = yaml.safe_load((project.folder / "pretrain.yaml").read_text())
    settings["model"]["width"] = 15
    (project.folder / "pretrain.yaml").write_text(yaml.safe_dump(settings))
    done = project.snakemake(project.configure("tiny", training=training), "pretrain", check=False)
    assert done.returncode != 0 and "must be a multiple of" in done.stdout + done.stderr
    assert (folder / "model.safetensors").is_file()


def test_wrong_settings_are_said_before_anything_runs(project, training):
    (project.folder / "distill.yaml").write_text("out: x\nteachers: y\n")
    config = project.configure("tiny", training=training)
    done = project.snakemake(config, "-n", "distill", check=False)
    assert done.returncode != 0
    assert "distill.yaml: unknown key teachers" in done.stdout + done.stderr
