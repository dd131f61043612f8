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
from pipeline.dataset.prepare import without_drifts
from pipeline.readers.formats import Values, open_responses
from pipeline.readers.hdf5 import numeric_dataset
from pipeline.validation.majority import odd_ones
from pipeline.validation.records import Heard

BLOCK_BYTES = 64 * 2**20
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
    """

    findings: Findings
    n_voxels: int | None = None
    digest: str | None = None


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
            digest = _check_values(path, data, findings)
            if options.get("high_pass") and not findings.problems:
                _check_filter(path, data, options, findings)
            if isinstance(data, h5py.Dataset) and "individual_repeats" in data.file:
                _check_repeats(data.file, data.shape, findings)
            return Checked(findings, int(data.shape[1]), digest)
    except ProblemError as error:
        findings.problems += error.problems
        return Checked(findings)


def check_recordings(heard: Heard, n_rows: Mapping[str, int], findings: Findings) -> int | None:
    """Check all responses of a subject; return the number of voxels if the files agree on one.

    Parameters
    ----------
    heard : Heard
        What the subject heard.
    n_rows : mapping of str to int
        Rows that the file of a story should have, where they are known.
    findings : Findings
        Where problems and warnings are noted.
    """
    n_voxels: dict[Path, int] = {}
    digests: dict[Path, str] = {}
    for one in track(heard.recordings, f"responses of {heard.subject}"):
        checked = check_responses(one.path, n_rows.get(one.story), heard.options)
        findings.add(checked.findings)
        if checked.n_voxels is not None:
            n_voxels[one.path] = checked.n_voxels
        if checked.digest is not None:
            digests[one.path] = checked.digest
    findings.add(check_voxel_counts(n_voxels))
    findings.add(check_copies(digests))
    agreed = set(n_voxels.values())
    return agreed.pop() if len(agreed) == 1 else None


def check_voxel_counts(n_voxels: Mapping[Path, int]) -> Findings:
    """Find the stories of one subject that have another number of voxels than most."""
    findings = Findings()
    shared = Path(os.path.commonpath([path.parent for path in n_voxels] or ["."]))
    odd, said = odd_ones({str(path.relative_to(shared)): n for path, n in n_voxels.items()})
    for path in (shared / name for name in odd):
        what = f"{n_voxels[path]} voxels, but a subject's stories should agree: {said}"
        findings.problem(path, "data", what, "use responses prepared with one mask")
    return findings


def check_copies(digests: Mapping[Path, str]) -> Findings:
    """Find stories of one subject that have the same responses: a file under two names.

    Parameters
    ----------
    digests : mapping of Path to str
        Of each file, as `Checked` has them.
    """
    findings = Findings()
    first: dict[str, Path] = {}
    for path, found in digests.items():
        if (other := first.setdefault(found, path)) != path:
            what = f"the responses are those of {other.name}"
            findings.warn(path, "data", what, "fetch both again: one has the other story's name")
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


def _check_values(path: Path, data: Values, findings: Findings) -> str | None:
    """Look for values that are not finite, and for voxels that do not vary; return a digest.

    The ranges of all rows and voxels, which are found in passing, tell responses from others.
    """
    n_rows, n_voxels = data.shape
    low, high = np.full(n_voxels, np.inf), np.full(n_voxels, -np.inf)
    row_low, row_high = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)
    bad_rows, bad_voxels, n_bad = np.zeros(n_rows, bool), np.zeros(n_voxels, bool), 0
    for rows, voxels, stored in blocks(data):
        values = as_single(stored)
        block_low, block_high = values.min(axis=0), values.max(axis=0)
        # NaN and infinities reach the minimum or the maximum.
        if not (np.isfinite(block_low) & np.isfinite(block_high)).all():
            bad = ~np.isfinite(values)
            bad_rows[rows] |= bad.any(axis=1)
            bad_voxels[voxels] |= bad.any(axis=0)
            n_bad += int(bad.sum())
        low[voxels] = np.minimum(low[voxels], block_low)
        high[voxels] = np.maximum(high[voxels], block_high)
        row_low[rows] = np.minimum(row_low[rows], values.min(axis=1))
        row_high[rows] = np.maximum(row_high[rows], values.max(axis=1))
    if n_bad:
        rows_named, voxels_named = np.flatnonzero(bad_rows), np.flatnonzero(bad_voxels)
        place = f"data, rows {some(rows_named)}; voxels {some(voxels_named)}"
        what = (
            f"{n_bad} values are NaN or infinite, "
            f"in {len(rows_named)} of {n_rows} rows and {len(voxels_named)} of {n_voxels} voxels"
        )
        findings.problem(path, place, what, _NOT_FINITE)
    constant = np.flatnonzero(~range_varies(low, high))
    blank = np.flatnonzero(row_low == row_high)
    if n_rows > 1 and len(constant) == n_voxels:
        what = f"all {n_voxels} voxels are constant"
        findings.problem(path, "data", what, _CONSTANT)
        return None
    if len(constant) and n_rows > 1:
        what = f"{len(constant)} of {n_voxels} voxels are constant: their r is NaN"
        remedy = "nothing, if they lie outside the brain; they are left out of means and counted"
        findings.warn(path, f"data, voxels {some(constant)}", what, remedy)
    if len(blank) and n_voxels > 1:
        what = f"{len(blank)} of {n_rows} rows have one value in all voxels"
        remedy = "nothing, if these volumes were censored; else fetch or write the file again"
        findings.warn(path, f"data, rows {some(blank)}", what, remedy)
    return hashlib.sha256(np.concatenate([low, high, row_low, row_high]).tobytes()).hexdigest()


def _check_filter(path: Path, data: Values, options: Mapping[str, Any], findings: Findings) -> None:
    """Whether the high-pass filter leaves something: of a few voxels, or else of any."""
    for voxels in (slice(N_FILTERED), slice(None)):
        try:
            without_drifts(data[:, voxels].astype(np.float64), options["tr"], options["high_pass"])
        except ProblemError as error:
            (problem,) = error.problems
        else:
            return
    findings.problem(path, "data", problem.what, problem.remedy)


def _check_repeats(file: h5py.File, shape: tuple[int, int], findings: Findings) -> None:
    """Check the repeated presentations, from which the noise ceiling comes."""
    name = "individual_repeats"
    repeats = numeric_dataset(file, name, 3, findings)
    if repeats is None:
        return
    if repeats.shape[1:] != shape:
        what = f"the shape is {repeats.shape}, (repeat, row, voxel), but `data` has {shape}"
        findings.problem(file.filename, name, what, _FETCH)
    n_bad = sum(int((~np.isfinite(as_single(repeat))).sum()) for repeat in repeats)
    if n_bad:
        what = f"{n_bad} values are NaN or infinite"
        findings.problem(file.filename, name, what, _NOT_FINITE)
    if len(repeats) < 2:
        what = "there is one presentation only, so there is no noise ceiling"
        findings.warn(file.filename, name, what, "nothing, if the story was heard once")
