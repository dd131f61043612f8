"""What a run has is asked of its configuration, wherever on this disk its dataset lies."""

import json

import h5py
import pytest

from pipeline.config.group_results import GroupResults
from pipeline.config.load import complete
from pipeline.core.places import Places
from pipeline.finished.run import Run
from tests.helpers import regional
from tests.helpers.responses import write_responses


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder to work in; its datasets lie elsewhere, under absolute paths."""
    folder = tmp_path / "project"
    (folder / "results" / "regional").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def opened(project, root, **changes):
    """A run as its report opens it, its provenance in the folder."""
    subjects = ["S1", "S2"]
    config = complete(regional.configuration(root, subjects, **changes))
    folder = project / "results" / "regional"
    published = Places(config).published(config)
    assert str(root) not in json.dumps(published)
    (folder / "provenance.json").write_text(json.dumps({"config": published}))
    return Run(folder, config)


def test_the_names_of_regions_are_found_in_a_dataset_elsewhere(project, tmp_path):
    root = tmp_path / "elsewhere"
    rows = dict.fromkeys(regional.STORIES, 30)
    path = write_responses(root, rows, len(regional.REGIONS)).responses("S1", "one")
    with h5py.File(path, "a") as file:
        file["regions"] = regional.REGIONS
    run = opened(project, root, responses={}, transcripts={})
    assert run.files.region_table() == [str(run.folder / "regions.tsv")]


def test_so_is_the_surface_by_a_table_of_runs_elsewhere(project, tmp_path):
    root = tmp_path / "elsewhere"
    root.mkdir()
    names = [(s, story) for s in ("S1", "S2") for story in regional.STORIES]
    rows = [f"{s}\t{story}\t{s}_{story}.dtseries.nii\twords.tsv" for s, story in names]
    table = root / "runs.tsv"
    table.write_text("\n".join(["subject\tstory\tresponses\ttranscript", *rows]) + "\n")
    run = opened(project, root, runs=str(table), responses={}, transcripts={})
    assert len(run.files.maps()) == 2
    assert GroupResults(run.files).maps()
