"""The table of repeated test stories as they are heard once, and what averaging makes of a gain."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.statistics.ceiling import jackknife
from pipeline.statistics.presentations import Heard

COLUMNS = [
    "subject", "model", "story", "n_presentations", "n_voxels", "r_mean", "r_first", "r_single",
    "gain_mean", "gain_mean_lo", "gain_mean_hi", "gain_clean", "gain_clean_lo", "gain_clean_hi",
    "gain_single", "gain_single_lo", "gain_single_hi", "uses_bold", "note",
]  # fmt: skip
CLEANER = "copies BOLD that is the mean of {n} presentations: cleaner than in training"
AVERAGING = "more than half of its gain on single presentations comes from copying averaged BOLD"
HALF = 0.5  # share of a gain that has to be left when BOLD of one presentation is copied


def presentations_table(
    heard: Mapping[tuple[str, str, str], Heard],
    n_presentations: Mapping[tuple[str, str], int],
    uses_bold: Mapping[str, bool],
    baseline: str,
) -> pd.DataFrame:
    """One row a subject, model and repeated story, columns `COLUMNS`.

    Gains are over the baseline, mean over voxels, with the interval of a jackknife over blocks of
    TRs: on the mean of the presentations, on single ones predicted from BOLD of the mean
    (`gain_clean`), and on single ones predicted from BOLD of their own (`gain_single`). Targets of
    the last two are the same: what is less of the last is what averaging gave to what is copied.

    Parameters
    ----------
    heard : mapping of (subject, model, story) to Heard
        `pipeline.statistics.presentations.heard_once`.
    n_presentations : mapping of (subject, story) to int
    uses_bold : mapping of model to bool
        Whether a model copies the story's own BOLD.
    baseline : str
        The model that the others are compared with, one of them.
    """
    rows = []
    for (subject, model, story), scored in heard.items():
        base, n = heard[subject, baseline, story], n_presentations[subject, story]
        row = {"subject": subject, "model": model, "story": story, "n_presentations": n}
        row |= {"n_voxels": int((~np.isnan(scored.mean[0])).sum()), "uses_bold": uses_bold[model]}
        row |= {f"r_{k}": np.nanmean(getattr(scored, k)[0]) for k in ("mean", "first", "single")}
        if model != baseline:
            for kind in ("mean", "clean", "single"):
                row |= _gain(kind, getattr(scored, kind) - getattr(base, kind))
        rows.append(row | {"note": _note(row, n)})
    return pd.DataFrame(rows, columns=COLUMNS)


def _gain(kind: str, difference: np.ndarray) -> dict[str, float]:
    """Gain, mean over voxels, and its interval; `difference` is (1 + n_blocks, n_voxels)."""
    value, lo, hi = (float(part[0]) for part in jackknife(np.nanmean(difference, axis=1)[:, None]))
    return {f"gain_{kind}": value, f"gain_{kind}_lo": lo, f"gain_{kind}_hi": hi}


def _note(row: Mapping[str, object], n: int) -> str | None:
    """What a reader has to know of a model that copies averaged BOLD."""
    if not row["uses_bold"]:
        return None
    gain, low, single = (row.get(k, np.nan) for k in ("gain_clean", "gain_clean_lo", "gain_single"))
    lost = low > 0 and single < HALF * gain  # type: ignore[operator]
    return "; ".join([CLEANER.format(n=n), *([AVERAGING] if lost else [])])
