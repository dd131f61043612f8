"""Circular shifts: the prediction of a story against its responses, turned by many TRs.

A shift keeps the autocorrelation of both and destroys their alignment. Stories are shifted each by
itself, never swapped for one another. The correlations at all shifts of a story come from one
Fourier transform, so a draw of shifts costs no more than looking them up.

Shifts by a few TRs keep part of the alignment and are left out. What is left is no longer a fair
sample: the correlations at all shifts have mean 0 and a variance that the spectra fix (Parseval),
so where those near the alignment are high by chance, the others are low and vary less, and the
observed one looks rarer than it is (up to 1.7 times too many p below 0.05 with shifts of at least
20 TR, tests/pipeline/statistics/test_significance.py). They are therefore given the mean and
variance of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.series import mean_over_stories, unit


def count_shifts(n_rows: Sequence[int], min_shift: int) -> int:
    """How many combinations of shifts there are of stories with these numbers of rows."""
    return math.prod(max(rows - 2 * min_shift + 1, 0) for rows in n_rows)


def draw_shifts(
    n_rows: Sequence[int], min_shift: int, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw different combinations of shifts, one shift a story; all of them if there are few.

    Parameters
    ----------
    n_rows : sequence of int
        Rows of each story.
    min_shift : int
        Shifts are at least so many TRs, either way round.
    n : int
        Combinations wanted.
    rng : Generator
        Source of the draws.

    Returns
    -------
    array of int, shape (at most n, n_stories)
        No combination twice, as repeated ones would promise a smaller p than there is.

    Raises
    ------
    ProblemError
        If a story is too short for `min_shift`.
    """
    if min(n_rows) < 2 * min_shift:
        what = f"a test story of {min(n_rows)} rows cannot be shifted by {min_shift} TRs"
        remedy = f"lower it to at most {min(n_rows) // 2}"
        raise ProblemError(Problem("configuration", "statistics.min_shift", what, remedy))
    n_shifts = np.asarray(n_rows) - 2 * min_shift + 1
    drawn = distinct(n_shifts, n, rng)
    return drawn + min_shift


def distinct(sizes: Sequence[int] | np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw different rows (i_1, i_2, ...) with 0 <= i_k < sizes[k]; all of them if at most n.

    Returns
    -------
    array of int, shape (min(n, product of sizes), len(sizes))
    """
    if math.prod(int(size) for size in sizes) <= n:
        return np.stack([i.ravel() for i in np.indices(tuple(sizes))], axis=1)
    drawn = np.empty((0, len(sizes)), int)
    while len(drawn) < n:
        more = rng.integers(0, sizes, (n, len(sizes)))
        drawn = np.unique(np.concatenate([drawn, more]), axis=0)
    return rng.permutation(drawn)[:n]


def shifted_r(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Pearson r of one story at every circular shift of its prediction.

    Parameters
    ----------
    predicted, measured : arrays of shape (n_rows, n_voxels)
        Of one story.

    Returns
    -------
    array of shape (n_rows, n_voxels), float32
        Row s: the prediction of row t - s against the response of row t; row 0 is the r itself.
    """
    from scipy.fft import irfft, rfft  # slow to import

    spectrum = np.conj(rfft(unit(predicted, 0), axis=0))
    spectrum *= rfft(unit(measured, np.nan), axis=0)
    return irfft(spectrum, n=len(measured), axis=0, overwrite_x=True)


def shift_null(
    stories: Sequence[tuple[np.ndarray, np.ndarray]], shifts: np.ndarray, min_shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean r over stories, and what it would be with the predictions shifted.

    Parameters
    ----------
    stories : sequence of (predicted, measured), arrays of shape (n_rows, n_voxels)
        Test stories.
    shifts : array of shape (n_null, n_stories)
        `draw_shifts`.
    min_shift : int
        As given to `draw_shifts`.

    Returns
    -------
    observed : array of shape (n_voxels,)
    null : array of shape (n_null, n_voxels)
    """
    r = [shifted_r(*story) for story in stories]
    observed = mean_over_stories(values[0] for values in r)
    fair = [with_moments_of_all(values, min_shift) for values in r]
    null = mean_over_stories(values[shifts[:, i]] for i, values in enumerate(fair))
    return observed, null


def with_moments_of_all(r: np.ndarray, min_shift: int) -> np.ndarray:
    """Give shifts of at least `min_shift` the mean (0) and the variance of all shifts.

    Parameters
    ----------
    r : array of shape (n_rows, n_voxels)
        `shifted_r`.
    min_shift : int
        TRs.

    Returns
    -------
    array of shape (n_rows, n_voxels)
        The rows of smaller shifts mean nothing.
    """
    far = r[min_shift : len(r) - min_shift + 1]
    spread = far.std(axis=0)
    wanted = np.sqrt(np.einsum("ij,ij->j", r, r) / len(r))
    return (r - far.mean(axis=0)) * (wanted / np.where(spread > 0, spread, np.inf))
