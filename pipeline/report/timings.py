"""Seconds and memory of every job of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

SAMPLED = 0.5  # s: Snakemake looks at a job's memory when it starts, and then this often


def collect_timings(
    folder: str | Path, subjects: Sequence[str], models: Sequence[str]
) -> pd.DataFrame:
    """Seconds and peak memory of every job that Snakemake timed.

    Parameters
    ----------
    folder : path
        Benchmark files: RULE.tsv or RULE/LABEL.tsv, where LABEL may start with a subject.
    subjects, models : sequences of str
        Names to recognise in the labels.

    Returns
    -------
    DataFrame
        Columns rule, subject, model (band, for features), seconds, peak_mb (NaN of jobs that
        ended before their memory was looked at).
    """
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        timing = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rule, *label = path.relative_to(folder).with_suffix("").parts
        subject, _, rest = label[0].partition("_") if label else ("", "", "")
        if subject not in subjects:
            subject, rest = "", label[0] if label else ""
        rows.append(
            {
                "rule": rule,
                "subject": subject or "n/a",
                "model": rest or "n/a",
                "seconds": timing["s"],
                "peak_mb": timing["max_rss"] if timing["s"] > SAMPLED else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=["rule", "subject", "model", "seconds", "peak_mb"])
