"""What the workflow says of bad input, before any long work."""

import pytest
import yaml

from pipeline.simulation.settings import Settings
from pipeline.simulation.simulate import simulate
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.workflow


@pytest.fixture
def data(project):
    """The tiny configuration's dataset, and its root."""
    config = yaml.safe_load((REPOSITORY / "config" / "tiny.yaml").read_text())
    root = project.folder / config["data_root"]
    simulate(root, list(config["subjects"]), Settings.from_config(config["simulate"]), seed=0)
    return root / "derivative"


def outputs(folder):
    """Files of a run that are not logs."""
    return [p for p in folder.rglob("*") if p.is_file() and "logs" not in p.parts]


@pytest.mark.parametrize("name", ["lebel", "realdata"])
def test_dry_run_before_any_download(project, name):
    config = project.configure(name, data_root=str(project.folder / "not-there"))
    done = project.snakemake(config, "--dry-run")
    assert "fit_model" in done.stdout
    assert not project.results(name).exists() or not outputs(project.results(name))


def test_all_problems_of_a_dataset_in_one_message_and_nothing_written(project, data):
    (data / "TextGrids" / "train01.TextGrid").unlink()
    (data / "TextGrids" / "train02.TextGrid").write_text("../.git/annex/objects/aa/SHA256E-s1--b")
    responses = data / "preprocessed_data" / "SIM01" / "train03.hf5"
    responses.write_bytes(responses.read_bytes()[:500])
    done = project.snakemake(project.configure("tiny", simulate=None), check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    for name in ("train01.TextGrid", "train02.TextGrid", "train03.hf5"):
        assert name in said
    assert "3 problem(s)" in said
    assert "Traceback" not in said
    assert not outputs(project.results("tiny"))
    log = (project.results("tiny") / "logs" / "validate.log").read_text()
    assert "train01.TextGrid" in log


def test_a_wrong_configuration_stops_before_anything(project):
    config = project.configure("tiny", horizon="two", colour="red")
    done = project.snakemake(config, check=False)
    assert done.returncode != 0
    assert "'two' is not of type 'integer'" in done.stdout + done.stderr
    assert "'colour' was unexpected" in done.stdout + done.stderr
    assert not (project.folder / "results").exists()


def test_any_key_can_be_overridden_on_the_command_line(project):
    """Nested numbers and null are what they are in a file."""
    changes = ["timing={tr: 1.5}", "fit={alphas: {max: 3.5}}", "mask=null", "regions={}"]
    config = project.configure("tiny", regions={})
    done = project.snakemake(config, "--dry-run", "--config", *changes, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = project.snakemake(config, "--dry-run", "--config", "timing={tr: 1500}", check=False)
    assert "1500 is greater than the maximum of 30" in wrong.stdout + wrong.stderr


def test_a_changed_raw_file_is_noticed(project, data):
    config = project.configure("tiny", simulate=None)
    project.snakemake(config, "results/tiny/words.parquet")
    path = data / "TextGrids" / "train01.TextGrid"
    path.write_text(path.read_text().replace('"the"', '"thee"'))
    plan = project.snakemake(config, "--dry-run", "results/tiny/words.parquet")
    assert "validate" in plan.stdout
    assert "rule words" in plan.stdout


@pytest.mark.parametrize(
    "target", ["features/ngram.h5", "sub-SIM01/sub-SIM01_desc-drift_matches.parquet"]
)
def test_a_file_that_no_band_has_is_no_target(project, target):
    done = project.snakemake(
        project.configure("tiny"), "--dry-run", f"results/tiny/{target}", check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"No rule to produce results/tiny/{target}" in said
    assert "Traceback" not in said
