"""Seconds and memory of jobs, from what Snakemake's benchmarks say."""

import math

import pytest

from pipeline.report.timings import collect_timings


@pytest.fixture
def benchmarks(tmp_path):
    def write(name, seconds, peak):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{peak}\n")

    write("fit_model/S1_gim", 12.5, 300.25)
    write("words", 0.4, 4.6)  # the shell's, before Python began
    write("report", 0.9, "NA")
    return tmp_path


def test_a_job_too_short_to_be_looked_at_has_no_peak_memory(benchmarks):
    table = collect_timings(benchmarks, ["S1"], ["gim"]).set_index("rule")
    fit = table.loc["fit_model"]
    assert (fit["subject"], fit["model"], fit["seconds"], fit["peak_mb"]) == (
        "S1",
        "gim",
        12.5,
        300.25,
    )
    assert table["seconds"].to_dict() == {"fit_model": 12.5, "words": 0.4, "report": 0.9}
    assert math.isnan(table.loc["words", "peak_mb"])
    assert math.isnan(table.loc["report", "peak_mb"])
