"""A whole run without confounds and drifts, as nilearn removes them, and the volumes that count.

What is removed is fitted to the run itself, its end with its beginning: the past of a cleaned run
knows a little of its future, which the band `drift` measures (docs/method.md).
"""

from __future__ import annotations

import glob
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.series import ROUNDING
from pipeline.readers.delimited import line_of, read_delimited
from pipeline.readers.formats import files_of

_OF_RESPONSES = re.compile(r"_(?:space|hemi|res|den|desc)-|_bold")  # not in the confounds' name


@dataclass(frozen=True, eq=False)
class Nuisance:
    """What is taken out of a run beside drifts.

    Parameters
    ----------
    confounds : array of shape (n_volumes, n_confounds), or None
        Regressors.
    counted : bool array of shape (n_volumes,), or None
        Volumes that count; None, all do.
    """

    confounds: np.ndarray | None = None
    counted: np.ndarray | None = None


def read_nuisance(
    path: Path, strategy: Mapping[str, Any], n_volumes: int, table: Path | None = None
) -> Nuisance:
    """Confounds of a run, by a strategy of `nilearn.interfaces.fmriprep.load_confounds`.

    Parameters
    ----------
    path : Path
        The run; its confounds lie beside it, as fMRIPrep leaves them.
    strategy : mapping
        Arguments of `load_confounds`, `strategy` among them. `scrub` takes no regressors, but
        volumes out of the count, as are those before a steady state, always.
    n_volumes : int
        Volumes of the run.
    table : Path, optional
        Where the table of runs says that its confounds are.

    Raises
    ------
    ProblemError
        If there are no confounds, they lack what the strategy asks for (a number in a row, too),
        they have another number of rows than the run has volumes, or no volume is left.
    """
    from nilearn.interfaces.fmriprep import load_confounds  # slow to import

    remedy = "give the run with its confounds as fMRIPrep leaves them, or another strategy"
    if table is not None and table.parent != path.parent:
        what = f"the confounds {table} are not beside the run, where they are read"
        raise ProblemError(Problem(path, "confounds", what, remedy))
    files = [str(file) for file in files_of(path)]
    beside = _confounds_beside(path)
    place = path if beside is None else beside
    if beside is not None:
        read_delimited(beside)  # which says what is wrong with it as a table, and where
    given = {key: value for key, value in strategy.items() if value is not None}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            confounds, kept = load_confounds(files if len(files) > 1 else files[0], **given)
    except (ValueError, LookupError, OSError, TypeError) as error:
        what = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ProblemError(Problem(place, "confounds", what, remedy)) from error
    n_rows = n_volumes if confounds is None else len(confounds)
    if n_rows != n_volumes:
        what = f"the confounds have {n_rows} rows, the run {n_volumes} volumes"
        raise ProblemError(Problem(place, "confounds", what, "give the confounds of this run"))
    if kept is None:
        counted = None
    else:
        counted = np.zeros(n_volumes, bool)
        counted[kept] = True
        if not counted.any():
            what = "no volume counts: scrubbing takes all of them out"
            thresholds = "raise the thresholds of `responses.confounds`, or exclude the story"
            raise ProblemError(Problem(place, "confounds", what, thresholds))
    if confounds is None or confounds.empty:
        return Nuisance(None, counted)
    values = confounds.to_numpy(float)
    for row, column in np.argwhere(~np.isfinite(values))[:1].tolist():
        what = f"{confounds.columns[column]!r} has no finite number"
        raise ProblemError(Problem(place, f"line {line_of(row)}", what, remedy))
    return Nuisance(values, counted)


def _confounds_beside(path: Path) -> Path | None:
    """The table of confounds of a run; None where names leave it to nilearn to say."""
    stem = _OF_RESPONSES.split(path.name)[0]
    found = sorted(path.parent.glob(f"{glob.escape(stem)}_desc-confounds_*.tsv"))
    return found[0] if len(found) == 1 else None


def cleaned(
    values: np.ndarray,
    tr: float,
    *,
    high_pass: float | None = None,
    detrend: bool = False,
    nuisance: Nuisance | None = None,
) -> np.ndarray:
    """A run without linear trend, slow cosines and confounds, fitted together where they count.

    Parameters
    ----------
    values : array of shape (n_volumes, n_voxels)
        A whole run.
    tr : float
        Seconds from volume to volume.
    high_pass : float, optional
        Cosines up to so many Hz are removed; their means stay.
    detrend : bool
        Whether a linear trend (and the mean) is removed first.
    nuisance : Nuisance, optional
        Confounds, and volumes that do not count: they become the mean of those that do.

    Raises
    ------
    ProblemError
        If nothing is left of any voxel but rounding.
    """
    from nilearn.signal import clean  # slow to import

    nuisance = nuisance or Nuisance()
    counted = nuisance.counted
    left = clean(
        values,
        detrend=detrend,
        standardize=None,
        confounds=nuisance.confounds,
        filter="cosine" if high_pass else False,
        high_pass=high_pass,
        t_r=tr,
        sample_mask=None if counted is None else np.flatnonzero(counted),
    )
    taken = values if counted is None else values[counted]
    _check_left(np.ptp(taken, axis=0), np.ptp(left, axis=0), high_pass)
    if counted is None:
        return left
    whole = np.tile(left.mean(axis=0), (len(values), 1))
    whole[counted] = left
    return whole


def _check_left(before: np.ndarray, after: np.ndarray, high_pass: float | None) -> None:
    """Raise if no voxel that had a range keeps one, above the rounding of what was taken."""
    varied = before > 0
    if not varied.any() or (after > ROUNDING * before)[varied].any():
        return
    place, what = "responses.confounds", "nothing of the responses is left beside the confounds"
    remedy = "take fewer confounds than the run has volumes"
    if high_pass:
        place = "responses.high_pass"
        what = f"nothing of the responses is faster than {high_pass:g} Hz"
        remedy = "lower `responses.high_pass` (0.01 is usual), or take responses not low-passed"
    raise ProblemError(Problem("configuration", place, what, remedy))
