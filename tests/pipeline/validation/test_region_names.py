"""Regions of tables stand in the same column for all stories and subjects."""

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
    order, missing = problems
    assert "A2.csv" in order and "'STG', 'V1' stand in another order" in order
    assert "A3.csv" in missing and "no region 'STG'" in missing


def test_regions_of_two_subjects(heard):
    problems, (warning,) = found(heard({"A1": "V1,STG", "B1": "STG,V1", "B2": "STG,V1"}))
    assert not problems
    assert "B1.csv" in warning and "another order" in warning


def test_regions_that_are_listed_or_alike(heard):
    assert found(heard({"A1": "V1,STG", "B1": "V1,STG"})) == ([], [])
    heads = {"A1": "V1,STG", "A2": "STG,V1"}
    assert found(heard(heads, {"columns": ["V1", "STG"]})) == ([], [])
