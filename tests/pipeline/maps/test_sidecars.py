"""What is said beside a file of values."""

import json

import pytest

from pipeline.maps.sidecars import sidecar_of, write_sidecars

RECORD = {"stat": "rdiff", "title": "t", "unit": "u", "model": "gim", "minus": "ngram", "q": 0.05}


@pytest.mark.parametrize("ending", [".nii.gz", ".func.gii", ".dscalar.nii"])
def test_a_sidecar_has_the_name_of_its_file(tmp_path, ending):
    path = tmp_path / f"sub-1_stat-r_desc-gim_statmap{ending}"
    assert sidecar_of(path) == tmp_path / "sub-1_stat-r_desc-gim_statmap.json"


def test_values_have_sidecars_and_pictures_none(tmp_path):
    folder = tmp_path / "sub-1"
    files = {"a.nii.gz": "nifti", "b.dscalar.nii": "cifti", "c.png": "glass"}
    records = [RECORD | {"file": name, "kind": kind} for name, kind in files.items()]
    fits = {model: f"results/run/sub-1/sub-1_desc-{model}_fit.h5" for model in ("gim", "ngram")}
    write_sidecars(records, folder, fits)
    assert {path.name for path in folder.iterdir()} == {"a.json", "b.json"}
    said = json.loads((folder / "a.json").read_text())
    assert said["Sources"] == [
        "bids::sub-1/sub-1_desc-gim_fit.h5",
        "bids::sub-1/sub-1_desc-ngram_fit.h5",
    ]
    assert (said["Units"], said["FalseDiscoveryRate"], "Band" in said) == ("u", 0.05, False)
    assert "minus that r of the model subtracted" in said["Computation"]
