"""Records name their alternative, machine and commit; what is missing is told with a command."""

import json
import re

import pytest

from benchmarks.common import RESULTS, corpora, execute, need
from benchmarks.table import ratios, rows

RECORDS = {path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}


@pytest.mark.parametrize("name", RECORDS)
def test_records_say_what_is_compared_where_and_when(name):
    record = RECORDS[name]
    assert record["what"]
    assert record["alternative"]
    assert record["versions"]["numpy"]
    assert {"processor", "cores", "load"} <= set(record["machine"])
    assert re.fullmatch(r"[0-9a-f]{7,40}(-dirty)?", record["commit"])


def test_the_table_has_a_row_for_each_comparison():
    table = rows(RESULTS)
    compared = [name for name, record in RECORDS.items() if ratios(record)]
    assert len(table) == len(compared) > 10
    (row,) = [row for row in table if row.startswith("| exact |")]
    assert f"{RECORDS['exact']['ratio']:.3g}" in row
    assert {line.count(" | ") for line in table} == {5}


def test_what_has_not_been_made_is_told_with_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GIM_SHARED", str(tmp_path / "none"))
    asked = {
        "`snakemake features`": lambda: need(tmp_path / "eng1000.h5", "snakemake features"),
        "GIM_SHARED": corpora,
    }
    for said, ask in asked.items():
        with pytest.raises(SystemExit, match=said) as ended:
            execute(ask)
        assert isinstance(ended.value.code, str)  # printed by Python, with exit status 1
    assert need(tmp_path, "") == tmp_path
