"""Small datasets of named regions: few jobs, and names from responses to the tables of results."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.dataset.dataset import NAMED
from pipeline.fit.file import FitFile
from tests.helpers import regional
from tests.helpers.once import once
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow
TURNED = regional.REGIONS[::-1]


def write(folder, n_subjects, *, orders=None, **changes):
    """A dataset in the folder, and the path of its configuration."""
    subjects = regional.write_dataset(folder / "data", n_subjects, orders=orders)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(regional.configuration("data", subjects, **changes)))
    return path


def planned(project, config, *arguments):
    """Rules of a dry run, and how many jobs each has."""
    said = project.snakemake(config, "--dry-run", *arguments).stdout
    table = said.partition("Job stats:")[2]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def test_of_small_subjects_each_is_one_job(project):
    """27 subjects of six regions with five models: no job converts a table, draws or fits alone."""
    jobs = planned(project, write(project.folder, 27))
    assert sum(n for name, n in jobs.items() if name.startswith("steps_of_")) == 27
    assert jobs["total"] <= 27 + 14
    assert not {"prepare", "fit_model", "subject_maps", "tuning"} & set(jobs)


def test_a_subject_may_be_called_like_what_is_made_of_it(project):
    """No rule of all subjects has the name of one subject's rule."""
    config = write(project.folder, 1)
    (project.folder / "data" / "S01").rename(project.folder / "data" / "maps")
    config.write_text(config.read_text().replace("S01", "maps"))
    assert planned(project, config)["steps_of_maps"] == 1


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A run of two subjects, one of whom lacks a region and has the others in another order."""

    def run(folder):
        models = {m: regional.configuration("", [])["models"][m] for m in ("wordrate", "drift")}
        config = write(folder, 2, orders={"S02": TURNED[1:]}, models=models)
        Project(folder).snakemake(config, "results/regional/regions.tsv")

    return Project(once(tmp_path_factory, "turned", run))


def test_regions_keep_their_names_whatever_their_order(turned):
    results = turned.results("regional")
    table = pd.read_csv(results / "regions.tsv", sep="\t")
    assert set(table["parcellation"]) == {NAMED}
    found = table[table["model"] == "wordrate"].set_index(["subject", "region"])
    heard = set(regional.REGIONS[:3])  # what follows the words
    for subject, names in {"S01": regional.REGIONS, "S02": TURNED[1:]}.items():
        (path,) = (results / f"sub-{subject}").glob("*-wordrate_fit.h5")
        fit = FitFile(path)
        assert fit.region_names() == names
        own = found.loc[subject, "r_mean"]
        np.testing.assert_allclose(own[names], fit.scores().r, atol=1e-6)
        assert all((own[name] > 0.4) == (name in heard) for name in names)
    mean = found.loc["mean", "r_mean"]
    both = found.loc["S01", "r_mean"] + found.loc["S02", "r_mean"]
    for name in TURNED[1:]:
        assert mean[name] == pytest.approx(both[name] / 2, abs=2e-6)
    assert mean["V1"] == found.loc[("S01", "V1"), "r_mean"]
    assert "S02: there is no region 'V1'" in (results / "warnings.txt").read_text()
    assert (results / "regions_responses.png").stat().st_size > 0


def test_weights_say_something_of_every_region_that_is_predicted(turned):
    """However few they are: the response to words is two rows late."""
    folder = turned.results("regional") / "sub-S02"
    (path,) = folder.glob("*wordrate*_timing.tsv")
    table = pd.read_csv(path, sep="\t").set_index("region")
    assert set(table.index[1:]) == {f"{NAMED}: {name}" for name in regional.REGIONS[:3]}
    np.testing.assert_allclose(table["peak"], 2 * regional.TR, atol=0.3)
    (path,) = folder.glob("*wordrate*_places.json")
    places = json.loads(path.read_text())["places"]
    assert {place["label"] for place in places[1:]} == set(regional.REGIONS[:3])


def test_one_job_says_in_its_log_what_it_did(turned):
    log = (turned.results("regional") / "logs" / "sub-S01" / "subject.log").read_text()
    assert len(re.findall(r"^prepare S01 \w+: [\d.]+ s$", log, re.M)) == len(regional.STORIES)
    assert re.search(r"^fit_model S01 drift: [\d.]+ s$", log, re.M)


@pytest.mark.parametrize(
    ("models", "fit"),
    [
        ({"wordrate": ["wordrate"], "drift": ["wordrate", "position", "drift", "ngram"]}, {}),
        ({}, {"share_grams": True, "alphas": {"min": 0, "max": 4, "n": 6}}),
    ],
)
def test_a_change_is_seen_where_it_also_gives_a_subject_more_files(turned, tmp_path, models, fit):
    """A model of other bands under its name; other alphas, and Gram matrices that jobs share."""
    changed = regional.configuration("data", ["S01", "S02"])
    kept = {m: changed["models"][m] for m in ("wordrate", "drift")}
    changed |= {"models": models or kept, "fit": changed["fit"] | fit}
    config = tmp_path / "changed.yaml"
    config.write_text(yaml.safe_dump(changed))
    jobs = planned(turned, config, "results/regional/summary.tsv")
    assert {"steps_of_S01", "steps_of_S02", "summary"} <= set(jobs)
