"""What subjects have in common: means over them, and how many show an effect by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.interval import moments, story_mean
from pipeline.core.random import generator
from pipeline.dataset.dataset import VOXELS
from pipeline.statistics.group_maps import Comparison, Fits, by_story
from pipeline.statistics.prevalence import Prevalence
from pipeline.statistics.random_effects import random_effects
from pipeline.statistics.sign_flips import FEWEST, draw_flips, out_of_reach, sign_flip_test
from pipeline.tables.shares import ALL

COMPARISON, UNIT = ["model", "baseline"], ["parcellation", "region"]
SUBJECTS = [*COMPARISON, *UNIT, "subject", "n_voxels", "n_stories", "mean", "p"]
COLUMNS = [
    *COMPARISON, *UNIT, "n_subjects", "mean", "sd", "subj_lo", "subj_hi", "p", "p_fwer",
    "n_flips", "n_tested", "n_positive", "alpha", "prevalence", "prevalence_lo", "prevalence_hi",
    "majority", "note",
]  # fmt: skip
TOO_FEW = f"no sign-flip p below {FEWEST} subjects"
FEW_STORIES = "no test within subjects that have fewer than three stories"


def subjects_table(
    fits: Fits,
    labels: Mapping[str, Mapping[str, np.ndarray]],
    comparisons: Sequence[Comparison],
) -> pd.DataFrame:
    """Each subject's own result in every unit, columns `SUBJECTS`.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits.
    labels : mapping of subject to mapping of parcellation to array of str, shape (n_voxels,)
        Region of every voxel, empty where there is none.
    comparisons : sequence of (model, baseline or None)
        Models whose out-of-fold r is compared; None, r itself.

    Returns
    -------
    DataFrame
        `mean`, over the unit's voxels, then over training stories; `p`, that it is above 0, one
        sided, by Student's t over the stories.
    """
    rows = []
    for comparison in comparisons:
        for subject, parcellations in labels.items():
            values = by_story(fits, subject, comparison)
            for unit, voxels in _units(parcellations, values.shape[1]):
                _, own, _ = moments(values[:, voxels].T)
                n_stories = int((~np.isnan(own)).sum())
                if n_stories:
                    n_voxels = int((~np.isnan(values[:, voxels])).any(axis=0).sum())
                    found = story_mean(own)
                    facts = (n_voxels, n_stories, float(found.mean), float(found.p))
                    rows.append((*comparison, *unit, subject, *facts))
    return pd.DataFrame(rows, columns=SUBJECTS)


def group_table(table: pd.DataFrame, *, alpha: float, permutations: int, seed: int) -> pd.DataFrame:
    """One row for each comparison and unit, columns `COLUMNS`.

    Parameters
    ----------
    table : DataFrame
        `subjects_table`.
    alpha : float
        Level of each subject's own test.
    permutations : int
        Sign flips, if there are more different ones.
    seed : int
        Of the flips, which are the same in all rows.

    Returns
    -------
    DataFrame
        `p_fwer` is over the units of one parcellation and comparison, `prevalence` the most
        probable one. What cannot be said is NaN, and `note` has the reason.
    """
    subjects = list(dict.fromkeys(table["subject"]))
    flips = draw_flips(len(subjects), permutations, generator(seed, "group"))
    rows: list[dict[str, Any]] = []
    families = table.groupby([*COMPARISON, UNIT[0]], sort=False, dropna=False)
    for family, own in families:
        units = list(dict.fromkeys(own["region"]))
        mean, p = (
            own.pivot_table(index="subject", columns="region", values=k, dropna=False)
            .reindex(index=subjects, columns=units)
            .to_numpy(float)
            for k in ("mean", "p")
        )
        effects, test = random_effects(mean), sign_flip_test(mean, flips)
        for i, unit in enumerate(units):
            tested = p[~np.isnan(p[:, i]), i]
            row = dict(zip([*COMPARISON, *UNIT], (*family, unit), strict=True))
            row |= {"n_subjects": effects.n[i], "mean": effects.mean[i], "sd": effects.sd[i]}
            row |= {"subj_lo": effects.lo[i], "subj_hi": effects.hi[i]}
            untested = bool(np.isnan(test.p[i]))
            row |= {"p": test.p[i], "p_fwer": test.p_fwer[i]}
            row |= {"n_flips": 0 if untested else test.n_null}
            reasons = [TOO_FEW] if untested else []
            reasons += out_of_reach(int(effects.n[i]), len(flips), alpha)
            reasons += [FEW_STORIES] if len(tested) < effects.n[i] else []
            rows.append(row | _prevalence(tested, alpha) | {"note": "; ".join(reasons) or None})
    return pd.DataFrame(rows, columns=COLUMNS)


def _prevalence(p: np.ndarray, alpha: float) -> dict[str, Any]:
    """Subjects whose own test is positive, and what that says of the population."""
    found = Prevalence(int((p < alpha).sum()), len(p), alpha)
    row: dict[str, Any] = {"n_tested": found.n, "n_positive": found.k, "alpha": alpha}
    ends = ("prevalence", "prevalence_lo", "prevalence_hi", "majority")
    known = (found.map, *found.interval(), found.above()) if len(p) else [np.nan] * 4
    return row | dict(zip(ends, known, strict=True))


def _units(
    parcellations: Mapping[str, np.ndarray], n_voxels: int
) -> list[tuple[tuple[str, str], np.ndarray]]:
    """All voxels, and every region, with the indices of its voxels."""
    units = [((VOXELS, ALL), np.arange(n_voxels))]
    for name, regions in parcellations.items():
        found = np.unique(regions[regions != ""])
        units += [((name, str(region)), np.flatnonzero(regions == region)) for region in found]
    return units
