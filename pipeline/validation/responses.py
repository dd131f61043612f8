"""Checks of the BOLD responses: one file per subject and story.

Responses are read once, in blocks of bounded size, whatever the size of the file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.progress import chunks, track
from pipeline.core.series import range_varies
from pipeline.dataset.clean import cleaned, read_nuisance
from pipeline.dataset.prepare import by_name
from pipeline.readers.formats import Values, open_responses, region_names
from pipeline.readers.hdf5 import numeric_dataset
from pipeline.validation.majority import odd_ones
from pipeline.validation.records import Heard

BLOCK_BYTES = 64 * 2**20
MOST_CENSORED = 0.2  # share of a run's volumes
N_FILTERED = 64  # voxels that are filtered to see whether something is left
_FETCH = "fetch or copy the file again"
_CONSTANT = f"{_FETCH}; exclude the story (`subjects.SUBJECT.exclude`), or leave the subject out"
_NOT_FINITE = "prepare the responses again without NaN and infinities, or exclude the story"


class Checked(NamedTuple):
    """What is known of a file of responses.

    Parameters
    ----------
    findings : Findings
        What is wrong with the file; constant voxels are a warning.
    n_voxels : int or None
        Voxels in the file, None if that cannot be told.
    digest : str or None
        Equal for equal responses; None if they cannot be read or never change.
    dropped : tuple of int
        Voxels that are NaN in all rows, where `responses.drop_nan_voxels` leaves these out.
    """

    findings: Findings
    n_voxels: int | None = None
    digest: str | None = None
    dropped: tuple[int, ...] = ()


def check_responses(path: Path, n_rows: int | None, options: Mapping[str, Any]) -> Checked:
    """Check the responses of one subject to one story.

    Parameters
    ----------
    path : Path
        In any format of `pipeline.readers`; HDF5 may hold `individual_repeats`, (repeat, row,
        voxel), as well.
    n_rows : int or None
        Rows that the file should have; None if not known.
    options : mapping
        As for `pipeline.readers.formats.open_responses`.
    """
    findings = Findings()
    try:
        with open_responses(path, options) as data:
            _check_rows(path, data.shape, n_rows, findings)
            drop = bool(options.get("drop_nan_voxels"))
            digest, dropped = _check_values(path, data, drop, findings)
            if options.get("confounds"):
                _check_confounds(path, data.shape[0], options["confounds"], findings)
            if options.get("high_pass") and not findings.problems:
                _check_filter(path, data, options, findings)
            if isinstance(data, h5py.Dataset) and "individual_repeats" in data.file:
                _check_repeats(data.file, data.shape, dropped, findings)
            return Checked(findings, int(data.shape[1]), digest, tuple(dropped.tolist()))
    except ProblemError as error:
        findings.problems += error.problems
        return Checked(findings)


def check_recordings(
    heard: Heard, n_rows: Mapping[str, int], findings: Findings
) -> tuple[int | None, list[int], dict[Path, str]]:
    """Check all responses of a subject.

    Parameters
    ----------
    heard : Heard
        What the subject heard.
    n_rows : mapping of str to int
        Rows that the file of a story should have, where they are known.
    findings : Findings
        Where problems and warnings are noted.

    Returns
    -------
    n_voxels : int or None
        Voxels, if the files agree on a number.
    dropped : list of int
        Those that some file has no value of, ascending.
    digests : dict of Path to str
        What tells each file's responses from others (`Checked`).
    """
    n_voxels: dict[Path, int] = {}
    dropped: dict[Path, tuple[int, ...]] = {}
    digests: dict[Path, str] = {}
    names = _names(heard)
    for one in track(heard.recordings, f"responses of {heard.subject}"):
        options = _in_order(one.path, heard.options, names)
        checked = check_responses(one.path, n_rows.get(one.story), options)
        findings.add(checked.findings)
        if checked.n_voxels is not None:
            n_voxels[one.path] = checked.n_voxels
        if checked.digest is not None:
            digests[one.path] = checked.digest
        if checked.dropped:
            dropped[one.path] = checked.dropped
    findings.add(check_voxel_counts(n_voxels))
    lost = sorted({voxel for voxels in dropped.values() for voxel in voxels})
    agreed = set(n_voxels.values())
    n_agreed = agreed.pop() if len(agreed) == 1 else None
    if lost:
        what = (
            f"{len(lost)} of {n_agreed} voxels of {heard.subject} are NaN in all rows of some file "
            f"({len(dropped)} of {len(n_voxels)} have such): they are dropped, their r is NaN"
        )
        remedy = "nothing, if they lie outside the brain or the field of view"
        findings.warn(next(iter(dropped)), f"data, voxels {some(lost)}", what, remedy)
    return n_agreed, lost, digests


def _names(heard: Heard) -> list[str] | None:
    """Names of the subject's regions, as the first file has them."""
    try:
        return region_names(heard.recordings[0].path, heard.options) if heard.recordings else None
    except ProblemError:
        return None


def _in_order(path: Path, options: Mapping[str, Any], names: list[str] | None) -> Mapping[str, Any]:
    """Options with which a file's regions come in this order, if it has all of them."""
    try:
        found = region_names(path, options)
        same = found is not None and names is not None and set(found) == set(names)
        return by_name(path, options, names) if same else options
    except ProblemError:
        return options  # the check of names tells


def check_voxel_counts(n_voxels: Mapping[Path, int]) -> Findings:
    """Find the stories of one subject that have another number of voxels than most."""
    findings = Findings()
    shared = Path(os.path.commonpath([path.parent for path in n_voxels] or [Path()]))
    odd, said = odd_ones({str(path.relative_to(shared)): n for path, n in n_voxels.items()})
    for path in (shared / name for name in odd):
        what = f"{n_voxels[path]} voxels, but a subject's stories should agree: {said}"
        findings.problem(path, "data", what, "use responses prepared with one mask")
    return findings


def blocks(data: Values) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Read (row, voxel) values in blocks of `BLOCK_BYTES` at most, or of one HDF5 chunk.

    Blocks are whole chunks, so that no chunk is decompressed twice.
    """
    n_rows, n_voxels = data.shape
    chunk_rows, chunk_voxels = getattr(data, "chunks", None) or (1, n_voxels)
    n_values = BLOCK_BYTES // data.dtype.itemsize
    voxel_step = _multiple(n_values // chunk_rows, chunk_voxels, n_voxels)
    row_step = _multiple(n_values // voxel_step, chunk_rows, n_rows)
    for voxels in chunks(range(n_voxels), voxel_step):
        for rows in chunks(range(n_rows), row_step):
            yield rows, voxels, data[rows, voxels]


def as_single(values: np.ndarray) -> np.ndarray:
    """Numbers in the precision that they are used in; those that are too large become infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _multiple(wanted: int, unit: int, limit: int) -> int:
    """The largest multiple of `unit` up to `wanted` (but one at least), cut to `limit`."""
    return min(max(wanted // unit, 1) * unit, limit)


def _check_rows(
    path: Path, shape: tuple[int, ...], expected: int | None, findings: Findings
) -> None:
    found, n_columns = shape
    if expected is None or found == expected:
        return
    what = f"{found} rows, but the scanned volumes and the trimming make it {expected}"
    remedy = "fetch both files again, or correct `timing` in the configuration"
    if n_columns == expected:
        what += ", which is the number of columns: these are (voxels, rows)"
        remedy = "save the transpose, (rows, voxels)"
    findings.problem(path, "data", what, remedy)


def _check_values(
    path: Path, data: Values, drop: bool, findings: Findings
) -> tuple[str | None, np.ndarray]:
    """Look for values that are not finite, and for voxels that do not vary.

    Returns
    -------
    digest : str or None
        Of the sums of all rows and voxels, their bits taken for whole numbers: exact, whatever the
        blocks.
    dropped : int array
        Voxels that are NaN in all rows, where `drop` says to leave these out.
    """
    n_rows, n_voxels = data.shape
    row_sums, voxel_sums = np.zeros(n_rows, np.uint64), np.zeros(n_voxels, np.uint64)
    low, high = np.full(n_voxels, np.inf), np.full(n_voxels, -np.inf)
    row_low, row_high = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)
    bad_in_row, bad_in_voxel = np.zeros(n_rows, int), np.zeros(n_voxels, int)
    nan_in_voxel = np.zeros(n_voxels, int)
    for rows, voxels, stored in blocks(data):
        values = as_single(stored)
        block_low, block_high = values.min(axis=0), values.max(axis=0)
        # NaN and infinities reach the minimum or the maximum.
        if not (np.isfinite(block_low) & np.isfinite(block_high)).all():
            bad = ~np.isfinite(values)
            bad_in_row[rows] += bad.sum(axis=1)
            bad_in_voxel[voxels] += bad.sum(axis=0)
            nan_in_voxel[voxels] += np.isnan(values).sum(axis=0)
        low[voxels] = np.minimum(low[voxels], block_low)
        high[voxels] = np.maximum(high[voxels], block_high)
        row_low[rows] = np.fmin(row_low[rows], np.fmin.reduce(values, axis=1))
        row_high[rows] = np.fmax(row_high[rows], np.fmax.reduce(values, axis=1))
        bits = values.view(np.uint32)
        voxel_sums[voxels] += bits.sum(axis=0, dtype=np.uint64)
        row_sums[rows] += bits.sum(axis=1, dtype=np.uint64)
    no_value = nan_in_voxel == n_rows
    if drop:
        bad_in_row -= no_value.sum()
        bad_in_voxel[no_value] = 0
    if n_bad := int(bad_in_voxel.sum()):
        rows_named, voxels_named = np.flatnonzero(bad_in_row), np.flatnonzero(bad_in_voxel)
        place = f"data, rows {some(rows_named)}; voxels {some(voxels_named)}"
        what = (
            f"{n_bad} values are NaN or infinite, "
            f"in {len(rows_named)} of {n_rows} rows and {len(voxels_named)} of {n_voxels} voxels"
        )
        findings.problem(path, place, what, _NOT_FINITE if drop else _no_value(no_value))
    constant = np.flatnonzero(~range_varies(low, high))
    dropped = np.flatnonzero(no_value & drop)
    blank = np.flatnonzero(row_low == row_high)
    if n_rows > 1 and len(constant) + len(dropped) == n_voxels:
        what = f"all {n_voxels} voxels are constant{' or NaN' if len(dropped) else ''}"
        findings.problem(path, "data", what, _CONSTANT)
        return None, dropped
    if len(constant) and n_rows > 1:
        what = f"{len(constant)} of {n_voxels} voxels are constant: their r is NaN"
        remedy = "nothing, if they lie outside the brain; they are left out of means and counted"
        findings.warn(path, f"data, voxels {some(constant)}", what, remedy)
    if len(blank) and n_voxels > 1:
        what = f"{len(blank)} of {n_rows} rows have one value in all voxels"
        remedy = "nothing, if these volumes were censored; else fetch or write the file again"
        findings.warn(path, f"data, rows {some(blank)}", what, remedy)
    return hashlib.sha256(np.concatenate([row_sums, voxel_sums]).tobytes()).hexdigest(), dropped


def _check_confounds(
    path: Path, n_volumes: int, strategy: Mapping[str, Any], findings: Findings
) -> None:
    """Whether the confounds can be read, and how many volumes do not count."""
    try:
        counted = read_nuisance(path, strategy, n_volumes).counted
    except ProblemError as error:
        findings.problems += error.problems
        return
    lost = np.flatnonzero(~counted) if counted is not None else ()
    if len(lost) > MOST_CENSORED * n_volumes:
        what = f"{len(lost)} of {n_volumes} volumes do not count (volumes {some(lost)})"
        remedy = "raise the thresholds of `responses.confounds`, or exclude the story"
        findings.warn(path, "confounds", what, remedy)


def _check_filter(path: Path, data: Values, options: Mapping[str, Any], findings: Findings) -> None:
    """Whether the high-pass filter leaves something: of a few voxels, or else of any."""
    for voxels in (slice(N_FILTERED), slice(None)):
        values = np.nan_to_num(data[:, voxels].astype(np.float64))  # dropped voxels are NaN
        try:
            cleaned(values, options["tr"], high_pass=options["high_pass"])
        except ProblemError as error:
            (problem,) = error.problems
        else:
            return
    findings.problem(path, "data", problem.what, problem.remedy)


def _no_value(voxels: np.ndarray) -> str:
    """What to do about values that are not finite, where these voxels have no other."""
    if not voxels.any():
        return _NOT_FINITE
    what = f"the {voxels.sum()} voxels that are NaN in all rows"
    return f"{_NOT_FINITE}; `responses.drop_nan_voxels` leaves out {what}"


def _check_repeats(
    file: h5py.File, shape: tuple[int, int], dropped: np.ndarray, findings: Findings
) -> None:
    """Check the repeated presentations, from which the noise ceiling comes."""
    name = "individual_repeats"
    repeats = numeric_dataset(file, name, 3, findings)
    if repeats is None:
        return
    if repeats.shape[1:] != shape:
        what = f"the shape is {repeats.shape}, (repeat, row, voxel), but `data` has {shape}"
        findings.problem(file.filename, name, what, _FETCH)
    bad = sum((~np.isfinite(as_single(repeat))).sum(axis=0) for repeat in repeats)
    n_bad = int(np.delete(bad, dropped[dropped < len(bad)]).sum())
    if n_bad:
        what = f"{n_bad} values are NaN or infinite"
        findings.problem(file.filename, name, what, _NOT_FINITE)
    if len(repeats) < 2:
        what = "there is one presentation only, so there is no noise ceiling"
        findings.warn(file.filename, name, what, "nothing, if the story was heard once")
