"""Configurations that ship, and the page of all keys."""

import pytest
import yaml
from snakemake.utils import update_config

from pipeline.config.load import complete, load, read_file
from pipeline.config.models import used_bands
from tests.conftest import REPOSITORY

CONFIGS = sorted((REPOSITORY / "config").glob("*.yaml"))
OVERLAYS = sorted((REPOSITORY / "config" / "overlays").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    config = yaml.safe_load(path.read_text())
    if "models" in config and "runs" not in config:  # what needs a table has a test with one
        assert load(path)["name"] == path.resolve().stem


@pytest.mark.parametrize("name", [path.stem for path in CONFIGS])
def test_configurations_of_ds003020_and_no_others_cite_it(name):
    text = (REPOSITORY / "config" / f"{name}.yaml").read_text()
    assert ("ds003020" in text) == ("10.1038/s41597-023-02437-z" in text)


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_shipped_overlays_complete_the_real_data(path):
    """As `snakemake --configfile config/realdata.yaml config/overlays/NAME.yaml` joins them."""
    config = read_file(REPOSITORY / "config" / "realdata.yaml")
    update_config(config, read_file(path))
    assert complete(dict(config))["models"]
    config = complete(
        config | {"only": None}
    )  # every band that is there, also where few are asked for
    assert set(used_bands(config)) == set(config["features"])


def test_the_overlay_of_all_subjects_completes_lebel():
    config = read_file(REPOSITORY / "config" / "lebel.yaml")
    update_config(config, read_file(REPOSITORY / "config" / "overlays" / "lebel" / "subjects.yaml"))
    assert list(complete(config)["subjects"]) == [f"UTS0{k}" for k in range(1, 10)]


def test_the_documentation_of_the_configuration_is_up_to_date():
    from pipeline.config.page import PAGE, page

    assert PAGE.read_text() == page(), "run python -m pipeline.config.page"
