"""All stories of a subject are of the same regions; those of subjects are told apart by name."""

import h5py
import numpy as np
import pytest

from pipeline.core.errors import Findings
from pipeline.validation import dataset
from pipeline.validation.records import Heard, Recording


@pytest.fixture
def heard(tmp_path):
    def write(heads, options=None):
        for name, head in heads.items():
            (tmp_path / f"{name}.csv").write_text(f"{head}\n0.5,0.25\n")
        recordings = [Recording(story=name, path=tmp_path / f"{name}.csv") for name in heads]
        return [
            Heard(subject=s, recordings=tuple(r for r in recordings if r.story[0] == s),
                  options=options or {})
            for s in sorted({name[0] for name in heads})
        ]  # fmt: skip

    return write


def found(heard):
    findings = Findings()
    dataset.check_region_names(heard, findings)
    return [str(p) for p in findings.problems], [str(w) for w in findings.warnings]


def test_regions_of_one_subject(heard):
    problems, warnings = found(heard({"A1": "V1,STG", "A2": "STG,V1", "A3": "V1,M1"}))
    assert not warnings
    (missing,) = problems
    assert "A3.csv" in missing
    assert "no region 'STG'" in missing
    assert "the region 'M1' is not in" in missing


def test_regions_of_two_subjects(heard):
    problems, (warning,) = found(
        heard({"A1": "V1,STG", "B1": "STG,V1", "B2": "STG,V1", "C1": "STG,M1"})
    )
    assert not problems
    assert "C1.csv" in warning
    assert "C: there is no region 'V1'" in warning


def test_regions_that_are_listed_or_alike(heard):
    assert found(heard({"A1": "V1,STG", "B1": "STG,V1"})) == ([], [])
    heads = {"A1": "V1,STG", "A2": "STG,V1,M1"}
    assert found(heard(heads, {"columns": ["V1", "STG"]})) == ([], [])


def test_a_column_without_a_name(heard):
    (problem,), _ = found(heard({"A1": "V1,"}))
    assert "a column has no name" in problem


def test_names_in_hdf5_are_one_a_column_in_one_order(tmp_path):
    recordings = []
    for story, names in {"A1": ["V1", "STG"], "A2": ["STG", "V1"], "A3": ["V1"]}.items():
        recordings.append(Recording(story=story, path=tmp_path / f"{story}.h5"))
        with h5py.File(recordings[-1].path, "w") as file:
            file["data"] = np.zeros((5, 2), np.float32)
            file["regions"] = names
    heard = [Heard(subject="A", recordings=tuple(recordings), options={})]
    (order, number), _ = found(heard)
    assert "A2.h5" in order
    assert "another order" in order
    assert "A3.h5 [regions]: it has not one name for each of the 2 columns" in number


def test_hdf5_that_names_two_columns_alike(tmp_path):
    """They would be taken for one region of two voxels."""
    with h5py.File(tmp_path / "A1.h5", "w") as file:
        file["data"] = np.ones((2, 3))
        file["regions"] = ["V1", "STG", "V1"]
    recording = Recording(story="A1", path=tmp_path / "A1.h5")
    (problem,), _ = found([Heard(subject="A", recordings=(recording,), options={})])
    assert "A1.h5 [regions]: columns named twice: 'V1'" in problem
