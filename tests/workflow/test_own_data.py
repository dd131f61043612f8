"""Getting the data, and other people's: the worked example of docs/data.md."""

import subprocess
import sys

import pandas as pd
import pytest

from tests.helpers.server import Server

pytestmark = pytest.mark.workflow
MODELS = ["eng1000", "ngram", "ngramlag"]


def summary_of(project, name):
    table = pd.read_csv(project.results(name) / "summary.tsv", sep="\t")
    return table.set_index(["subject", "model"]).loc["SIM01"]


def test_the_example_gives_what_the_same_data_in_the_layout_of_ds003020_give(tiny):
    command = [sys.executable, "-m", "pipeline.example", "data/own"]
    subprocess.run(command, check=True, cwd=tiny.folder)
    tiny.snakemake(tiny.configure("own"), "results/own/summary.tsv")
    expected, found = summary_of(tiny, "tiny").loc[MODELS], summary_of(tiny, "own").loc[MODELS]
    columns = ["n_voxels", "r_mean", "r_concat"]
    pd.testing.assert_frame_equal(found[columns], expected[columns], atol=1e-4)


def test_the_target_fetch_gets_the_files_of_the_configuration(tiny):
    """And no rule of the workflow asks for it."""
    source, server = tiny.folder / "data" / "tiny", Server()
    for path in source.rglob("*"):
        if path.is_file():
            server.pages[f"/{path.relative_to(source)}"] = path.read_bytes()
    config = tiny.configure(
        "tiny",
        name="fetched",
        data_root="data/fetched",
        simulate=None,
        fetch={"files": server.url, "pointers": server.url, "models": False},
    )
    tiny.snakemake(config, "fetch")
    fetched = tiny.folder / "data" / "fetched"
    names = [path.relative_to(fetched) for path in fetched.rglob("*") if path.is_file()]
    assert len(names) == 12  # five transcripts, five runs, the volume counts and Eng1000
    assert all((fetched / n).read_bytes() == (source / n).read_bytes() for n in names)
    plan = tiny.snakemake(config, "--dry-run")
    assert "fit_model" in plan.stdout
    assert "rule fetch:" not in plan.stdout
    server.shutdown()
    server.server_close()
