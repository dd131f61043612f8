"""What results say of places: as the configuration has them, and no token."""

import json
from pathlib import Path

import pytest

from pipeline.config.load import complete
from pipeline.core.provenance import describe
from pipeline.validation.manifest import describe_files


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder, and a folder of the run elsewhere."""
    (tmp_path / "home/alice").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home/alice"))
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch/alice"))
    monkeypatch.chdir(tmp_path / "run")
    (tmp_path / "run/manifest.json").write_text("{}")
    return tmp_path / "home/alice"


def configured(root, **changes):
    config = {
        "name": "mine",
        "data_root": root,
        "subjects": {"S1": None},
        "stories": {"train": ["a", "b", "c"], "test": ["x"]},
        "features": {"eng1000": {}, "llama": {"kind": "llm", "model": "$SCRATCH/llama"}},
        "models": {"eng1000": ["eng1000"], "llama": ["eng1000", "llama"]},
        "mask": {"path": "~/masks/{subject}.nii.gz", "order": "xyz", "space": "MNI"},
        "fit": {"n_folds": 3},
    }
    return complete(config | changes)


def test_the_configuration_is_described_as_it_was_written(home):
    config = configured("$SCRATCH/ds003020")
    assert config["mask"]["path"] == f"{home}/masks/{{subject}}.nii.gz"
    described = describe(config, "manifest.json")["config"]
    assert described["data_root"] == "$SCRATCH/ds003020"
    assert described["features"]["llama"]["model"] == "$SCRATCH/llama"
    assert described["mask"]["path"] == "~/masks/{subject}.nii.gz"
    assert complete(described)["mask"] == config["mask"]  # it can be run as it is


@pytest.mark.parametrize("place", ["home/alice/data/ds", "srv/alice/ds", "run/data/ds"])
def test_absolute_paths_are_those_in_the_dataset(place, home, tmp_path):
    root = tmp_path / place
    mask = {"path": f"{root}/derivative/{{subject}}.nii.gz", "order": "xyz", "space": "MNI"}
    described = json.dumps(describe(configured(str(root), mask=mask), "manifest.json"))
    assert str(tmp_path) not in described
    shown = {"home": "~/data/ds", "srv": "ds", "run": "data/ds"}[place.split("/")[0]]
    assert f'"data_root": "{shown}"' in described
    assert f'"{shown}/derivative/{{subject}}.nii.gz"' in described


def test_tokens_of_addresses_are_left_out(home):
    address = "https://alice:hunter2@data.org:8080/ds?token=secret#part"
    config = configured("data", fetch={"files": address, "pointers": "https://data.org/raw"})
    assert config["fetch"]["files"] == address
    described = describe(config, "manifest.json")["config"]["fetch"]
    assert described["files"] == "https://data.org:8080/ds"
    assert described["pointers"] == "https://data.org/raw"


def test_files_elsewhere_are_called_as_they_were_configured(home, tmp_path):
    config = configured(str(tmp_path / "srv/ds"))
    files = [tmp_path / "srv/ds/a.hf5", home / "masks/S1.nii.gz", Path("results/x.json").absolute()]
    files += [tmp_path / "scratch/alice/llama/config.json"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert list(describe_files(config, files)) == [
        "a.hf5",
        "~/masks/S1.nii.gz",
        "results/x.json",
        "$SCRATCH/llama/config.json",
    ]


def test_warnings_say_where_without_saying_whose(home, tmp_path):
    from pipeline.core.places import Places

    places = Places(configured("$SCRATCH/ds003020"))
    scratch = tmp_path / "scratch/alice"
    said = f"{scratch}/ds003020/a.hf5 [data]: as in {home}. See '{home}/b', {home}ly, x{home}"
    shown = f"$SCRATCH/ds003020/a.hf5 [data]: as in ~. See '~/b', {home}ly, x{home}"
    assert places.hide(said) == shown
    assert places.hide(f"run in {tmp_path}/run") == "run in ."
    assert places.hide(["0.5/mm", 3, None]) == ["0.5/mm", 3, None]
