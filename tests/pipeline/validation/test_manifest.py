"""The files of a run: described alike for equal input, and noticed when they change."""

import json
import shutil

from pipeline.validation import manifest as module
from pipeline.validation.manifest import fingerprint, input_files, manifest
from tests.helpers.datasets import N_ROWS, N_VOXELS
from tests.helpers.faults import SUBJECT, set_value, textgrid


def test_manifest(config, tmp_path):
    first = manifest(config)
    assert first == json.loads(json.dumps(manifest(config)))
    assert first["n_rows"] == dict.fromkeys(["one", "two", "three", "four"], N_ROWS)
    assert first["n_voxels"] == {SUBJECT: N_VOXELS}
    assert next(iter(first["files"])) == "derivative/respdict.json"
    assert len(first["files"]) == 1 + 4 + 4
    (tmp_path / "empty").write_text("")
    assert module._describe(tmp_path / "empty") == {
        "bytes": 0,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    set_value(tmp_path, "two", (0, 0), 9.0)
    second = manifest(config)
    changed = [name for name in first["files"] if first["files"][name] != second["files"][name]]
    assert changed == [f"derivative/preprocessed_data/{SUBJECT}/two.hf5"]


def state(config):
    return fingerprint(config, input_files(config))


def test_fingerprint_follows_the_files_and_needs_none(config, tmp_path):
    present = state(config)
    assert state(config) == present
    textgrid(tmp_path, "one").write_text("changed")
    changed = state(config)
    textgrid(tmp_path, "one").unlink()
    absent = state(config)
    config["data_root"] = str(tmp_path / "elsewhere")
    config["mask"] = None
    assert len({present, changed, absent, state(config)}) == 4


def test_fingerprint_of_a_simulated_dataset_ignores_what_a_rule_writes(config, tmp_path):
    config["simulate"] = {}
    before = state(config)
    shutil.rmtree(tmp_path / "derivative")
    assert state(config) == before
    config["simulate"] = {"n_train": 3}
    assert state(config) != before
