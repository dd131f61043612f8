"""The published steps of the fMRI experiment as its code has them, for `benchmarks.replication`.

Only what stops that code is mended. A state of GIM's encoder stands for the word states, which
there are principal components of next-token distributions: of so few dimensions a PCA of 900 is
their centring. Columns that the published stacking and delays make several times are made once,
with the weight of all (`pipeline.matching.matches.fir_of_matches`): the same ridge, but for the
first two rows of a story. What is wrong with each step is in docs/replication.md; the workflow does
none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from gim.encoder.encoder import Encoder
from gim.text.words import join_words
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story, lanczos_weights
from pipeline.fit.search import FEW

CONTEXT = 64  # words; then the context begins anew
BACK = 3  # candidates are words before the first one of the TR that is so many back
BEST = 0.8  # share of a story's rows that keep their matches
OFFSETS = (1, 2, 3)
ALPHAS = np.logspace(1, 3, 10)
CHUNK, N_CHUNKS = 40, 125  # TRs of a chunk, and chunks that a bootstrap holds out
DROPPED = -1


def word_states(story: Story, encoder: Encoder) -> np.ndarray:
    """A state for each word, of at most `CONTEXT` words, centred over the story, (n_words, dim)."""
    words = story.words["word"].tolist()
    pieces = [words[i : i + CONTEXT] for i in range(0, len(words), CONTEXT)]
    states = np.concatenate([encoder.vectors(*join_words(piece)) for piece in pieces])
    return states - states.mean(axis=0)


def matched_volumes(story: Story, states: np.ndarray) -> np.ndarray:
    """Volume of the grid that every volume is matched to; `DROPPED` where none is kept.

    Rows of similarities are filtered to volumes as features are, so words after a volume vote, and
    the more the faster the speech; where nothing may be matched the first word is.
    """
    onsets, offsets = (story.words[k].to_numpy() for k in ("onset", "offset"))
    volume = volumes_of(story)
    unit = states / np.linalg.norm(states, axis=1, keepdims=True).clip(1e-12)
    n_candidates = np.searchsorted(volume, volume - BACK)
    eligible = np.arange(len(volume)) < n_candidates[:, None]
    similarity = np.where(eligible, unit @ unit.T, 0)
    times = story.grid.volume_starts() + story.grid.tr / 2
    filtered = lanczos_weights((onsets + offsets) / 2, times, story.grid.tr) @ similarity
    best = filtered.max(axis=1)
    kept = best >= np.quantile(best, 1 - BEST)
    return np.where(kept, volume[filtered.argmax(axis=1)], DROPPED)


def random_volumes(story: Story, rng: np.random.Generator) -> np.ndarray:
    """The random control: a number drawn from the volumes, but used as that of a word."""
    n = story.grid.n_volumes
    volume = volumes_of(story)
    return volume[np.minimum(rng.integers(0, n, n), len(volume) - 1)]


def volumes_of(story: Story) -> np.ndarray:
    """Volume of the grid in which each word starts."""
    volume = story.grid.row_of(story.words["onset"].to_numpy()) + story.grid.trim[0]
    return np.clip(volume, 0, story.grid.n_volumes - 1)


def copied(scores: np.ndarray, grid: Grid, match: np.ndarray) -> np.ndarray:
    """Changes of BOLD after the matched volumes, (n_rows, len(OFFSETS) * n_components).

    Parameters
    ----------
    scores : array of shape (n_rows, n_components)
        Components of the story's BOLD, to which zero rows are added where volumes were trimmed.
    grid : Grid
        Of the story.
    match : array of int, shape (n_volumes,)
        `matched_volumes`.
    """
    padded = np.pad(scores, ((grid.trim[0], grid.trim[1] + max(OFFSETS)), (0, 0)))
    change = np.concatenate([padded[match + j] - padded[match] for j in OFFSETS], axis=1)
    change[match == DROPPED] = 0
    return change[grid.kept]


def story_components(bold: np.ndarray, n: int) -> np.ndarray:
    """Leading components of one story's BOLD, (n_rows, n): signs and order are its own."""
    centred = bold - bold.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :n] * size[:n]


@dataclass(frozen=True)
class Fitted:
    """A ridge with one alpha a voxel.

    Parameters
    ----------
    weights : array of shape (n_columns, n_voxels)
    alpha : array of shape (n_voxels,)
    """

    weights: np.ndarray
    alpha: np.ndarray


def bootstrap_ridge(
    x: np.ndarray, y: np.ndarray, grids: Sequence[np.ndarray], n_bootstraps: int, seed: int
) -> list[Fitted]:
    """One alpha a voxel for all columns, by chunks of the stories that are held out.

    Parameters
    ----------
    x, y : arrays of shape (n_rows, n_columns), (n_rows, n_voxels), float32
        Standardised within stories, on end; there is no intercept.
    grids : sequence of arrays
        Alphas to choose from; each grid gives a fit. All hold the largest published alpha, from
        which the grid is walked while more than a few voxels do better.
    n_bootstraps, seed : int
        Bootstraps, and the seed of their chunks.
    """
    whole = _Sums(x.T @ x, x.T @ y)
    bootstraps = [
        (whole.without(x[out], y[out]), x[out], y[out])
        for out in _held_out(len(x), n_bootstraps, seed)
    ]
    known: dict[float, np.ndarray] = {}

    def score(alpha: float) -> np.ndarray:
        if alpha not in known:
            found = [signed_root(rows @ s.solve(alpha), seen) for s, rows, seen in bootstraps]
            known[alpha] = np.mean(found, axis=0)
        return known[alpha]

    fits = []
    for grid in grids:
        chosen = _walk(grid, score)
        weights = np.empty_like(whole.xy)
        for alpha in np.unique(chosen):
            weights[:, chosen == alpha] = whole.solve(alpha)[:, chosen == alpha]
        fits.append(Fitted(weights, chosen))
    return fits


@dataclass(frozen=True)
class _Sums:
    """X'X and X'Y of some rows."""

    xx: np.ndarray
    xy: np.ndarray

    def without(self, x: np.ndarray, y: np.ndarray) -> _Sums:
        """Of the other rows."""
        return _Sums(self.xx - x.T @ x, self.xy - x.T @ y)

    def solve(self, alpha: float) -> np.ndarray:
        """Weights, (n_columns, n_voxels)."""
        system = self.xx.copy()
        system[np.diag_indices(len(system))] += alpha
        factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        return cho_solve(factor, self.xy, check_finite=False)


def _held_out(n_rows: int, n_bootstraps: int, seed: int) -> list[np.ndarray]:
    """Rows that each bootstrap holds out; at most 4 in 7 chunks where there are few."""
    n = n_rows // CHUNK
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(n)[: min(N_CHUNKS, 4 * n // 7)] for _ in range(n_bootstraps)]
    return [np.isin(np.arange(n_rows) // CHUNK, chunks) for chunks in chosen]


def _walk(grid: np.ndarray, score: Callable[[float], np.ndarray]) -> np.ndarray:
    """Each voxel's best alpha of a grid, going along it from the largest published one."""
    start = int(np.argmin(np.abs(grid - ALPHAS[-1])))
    tried = {start: score(grid[start])}
    for step in (-1, 1):
        best, i = tried[start], start + step
        while 0 <= i < len(grid):
            tried[i] = score(grid[i])
            if (tried[i] > best).mean() <= FEW:
                break
            best, i = np.maximum(best, tried[i]), i + step
    places = np.array(list(tried))
    return grid[places[np.argmax(list(tried.values()), axis=0)]]


def signed_root(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """What was published as a correlation: sqrt(|R2|) with the sign of R2, (n_voxels,)."""
    r2 = 1 - (measured - predicted).var(axis=0) / measured.var(axis=0)
    return np.sign(r2) * np.sqrt(np.abs(r2))
