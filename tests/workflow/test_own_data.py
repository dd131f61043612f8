"""Other people's datasets: the worked example of docs/data.md, and what is said of a bad one."""

import subprocess
import sys

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow
MODELS = ["eng1000", "ngram", "ngramlag"]


@pytest.fixture
def own(tiny):
    """The project's folder with the example's dataset, as the command writes it."""
    command = [sys.executable, "-m", "pipeline.example", "data/own"]
    subprocess.run(command, check=True, cwd=tiny.folder)
    return tiny


def summary_of(project, name):
    table = pd.read_csv(project.results(name) / "summary.tsv", sep="\t")
    return table.set_index(["subject", "model"]).loc["SIM01"]


def test_the_example_gives_what_the_same_data_in_the_layout_of_ds003020_give(own):
    own.snakemake(own.configure("own"), "results/own/summary.tsv")
    expected, found = summary_of(own, "tiny").loc[MODELS], summary_of(own, "own").loc[MODELS]
    columns = ["n_voxels", "r_mean", "r_concat"]
    pd.testing.assert_frame_equal(found[columns], expected[columns], atol=1e-4)
