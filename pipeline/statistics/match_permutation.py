"""Permuting matches: do the particular moments matter that a matcher points to?

Shifting predictions asks whether they fit at all, which BOLD's autocorrelation sees to. Here each
match goes to another row instead: rows in whose place it would be about as far back (lags from
one power of two to the next) exchange their matches. What is copied, how often, and how far back
stay as they were; which moment is copied to which row does not. Consecutive rows that follow the
same earlier passage at one lag move together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.bands.compute import BandFile, band_features
from pipeline.bands.registry import BandOptions
from pipeline.core.series import mean_over_stories, unit
from pipeline.dataset.basis import BasisFile
from pipeline.fit.design import Band, make_band
from pipeline.matching.matches import NO_MATCH, Matches, load_matches, newest_match

STEPS = 30  # exchanges tried for each run of matches


@dataclass(frozen=True)
class Runs:
    """Rows of a story whose matches go together.

    Parameters
    ----------
    start, length, match_row : arrays of int, shape (n_runs,)
        First row, rows, and the match of the first row.
    """

    start: np.ndarray
    length: np.ndarray
    match_row: np.ndarray

    @classmethod
    def of(cls, match_row: np.ndarray) -> Runs:
        """Longest runs of matched rows with one lag; `match_row` (n_rows,), `NO_MATCH` for none."""
        rows = np.flatnonzero(match_row != NO_MATCH)
        lags = rows - match_row[rows]
        first = np.r_[True, (np.diff(rows) > 1) | (np.diff(lags) != 0)][: len(rows)]
        start = rows[first]
        length = np.diff(np.r_[np.flatnonzero(first), len(rows)])
        return cls(start, length, match_row[start])

    def rows(self, matched: np.ndarray, n_rows: int) -> np.ndarray:
        """Match of every row, (n, n_rows), from those of the runs' first rows, (n, n_runs)."""
        rows = np.full((len(matched), n_rows), NO_MATCH)
        for i, (start, length) in enumerate(zip(self.start, self.length, strict=True)):
            rows[:, start : start + length] = matched[:, [i]] + np.arange(length)
        return rows


def permuted_matches(
    match_row: np.ndarray, newest: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw exchanges of matches within lag bins, all that are possible being equally likely.

    Pairs of runs are drawn and exchange their matches if either's new lag stays in its bin. The
    chain is symmetric; it runs from the matches to a common origin, and from there to every draw,
    which makes the test exact however long it is (Besag & Clifford 1989, doi:10.2307/2336623).

    Parameters
    ----------
    match_row : array of int, shape (n_rows,)
        Match of each row, `NO_MATCH` where there is none.
    newest : array of int, shape (n_rows,)
        Newest row that each row may match.
    n : int
        Draws.
    rng : Generator
        Source of the draws.

    Returns
    -------
    array of int, shape (n, n_rows)
    """
    runs = Runs.of(match_row)
    bins = _bin(runs.start - runs.match_row)
    least = runs.start - newest[runs.start]
    members = [np.flatnonzero(bins == b) for b in np.unique(bins)]
    members = [m for m in members if len(m) > 1]
    drawn = np.tile(runs.match_row, (n, 1))
    if members:
        origin = _exchange(drawn[:1], runs.start, bins, least, members, rng)
        drawn = _exchange(np.tile(origin, (n, 1)), runs.start, bins, least, members, rng)
    return runs.rows(drawn, len(match_row))


def _bin(lag: np.ndarray) -> np.ndarray:
    return np.floor(np.log2(np.maximum(lag, 1))).astype(int)


def _exchange(
    matched: np.ndarray,
    start: np.ndarray,
    bins: np.ndarray,
    least: np.ndarray,
    members: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Try `STEPS` exchanges a run in every chain, (n_chains, n_runs)."""
    matched = matched.copy()
    chains = np.arange(len(matched))
    for _ in range(STEPS):
        for group in members:
            for _ in range(len(group)):
                i, j = (group[rng.integers(0, len(group), len(matched))] for _ in range(2))
                lag_i, lag_j = start[i] - matched[chains, j], start[j] - matched[chains, i]
                stays = (_bin(lag_i) == bins[i]) & (_bin(lag_j) == bins[j])
                stays &= (lag_i >= least[i]) & (lag_j >= least[j])
                c, a, b = chains[stays], i[stays], j[stays]
                matched[c, a], matched[c, b] = matched[c, b], matched[c, a]
    return matched


@dataclass(frozen=True)
class Copies:
    """What the matches of a test story add to its predictions.

    Parameters
    ----------
    rest : array of shape (n_rows, n_voxels)
        Prediction without the band.
    measured : array of shape (n_rows, n_voxels)
        Responses.
    delays : sequence of int
        FIR delays of the band.
    added : array of shape (n_delays, n_rows + 1, n_voxels)
        What a match to each row adds to the prediction so many TRs later; last, what no match adds.
    """

    rest: np.ndarray
    measured: np.ndarray
    delays: Sequence[int]
    added: np.ndarray

    def predicted(self, match_row: np.ndarray) -> np.ndarray:
        """Prediction with these matches, (n_rows,); `NO_MATCH` takes the last of `added`."""
        predicted = self.rest.copy()
        for delay, added in zip(self.delays, self.added, strict=True):
            predicted[delay:] += added[match_row[: len(match_row) - delay]]
        return predicted


def match_null(
    stories: Sequence[Copies], match_rows: Sequence[np.ndarray], permuted: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean r over stories, and what it would be with the matches permuted.

    Parameters
    ----------
    stories : sequence of Copies
        Test stories.
    match_rows : sequence of arrays of shape (n_rows,)
        Their matches.
    permuted : sequence of arrays of shape (n_null, n_rows)
        `permuted_matches` of each.

    Returns
    -------
    observed : array of shape (n_voxels,)
    null : array of shape (n_null, n_voxels)
    """
    measured = [unit(story.measured, np.nan) for story in stories]

    def r(i: int, match_row: np.ndarray) -> np.ndarray:
        predicted = unit(stories[i].predicted(match_row), 0)
        return np.einsum("ij,ij->j", predicted, measured[i])

    observed = mean_over_stories(r(i, rows) for i, rows in enumerate(match_rows))
    null = mean_over_stories(
        np.stack([r(i, rows) for rows in draws]) for i, draws in enumerate(permuted)
    )
    return observed, null


@dataclass(frozen=True)
class Matcher:
    """A band that copies what followed single matches, ready to copy from other rows.

    Parameters
    ----------
    band : Band
        Its `values` of a test story have a row for each row that can be matched, and a last one
        for no match.
    match_rows, newest : dict of str to array of int, shape (n_rows,)
        Match of every row of the test stories, and the newest row that it may match.
    """

    band: Band
    match_rows: dict[str, np.ndarray]
    newest: dict[str, np.ndarray]

    @classmethod
    def read(
        cls,
        name: str,
        options: BandOptions,
        *,
        features: str | Path,
        matches: str | Path,
        basis: str | Path,
        delays: Sequence[int],
        stories: Mapping[str, Sequence[str]],
    ) -> Matcher:
        """Read a band's features, matches, and the component scores that they copy.

        Parameters
        ----------
        name : str
            The band.
        options : BandOptions
            Of the band.
        features, matches, basis : paths
            Files of the band's features and matches, and of the subject's components.
        delays : sequence of int
            FIR delays of the configuration.
        stories : dict
            `train` and `test` stories.
        """
        values = BandFile(features).read(stories["train"])
        scores = BasisFile(basis).scores(stories["test"])
        values |= {story: _copied_from_each(s, options) for story, s in scores.items()}
        found = load_matches(matches)
        newest = {s: newest_match(len(v), options.matching) for s, v in scores.items()}
        band = make_band(name, values, options, delays, stories["train"])
        return cls(band, {s: found[s].match_row for s in scores}, newest)

    def copies(
        self, story: str, predicted: np.ndarray, measured: np.ndarray, weights: np.ndarray
    ) -> Copies:
        """Split a model's prediction of a test story into what matches add, and the rest.

        Parameters
        ----------
        story : str
            The story.
        predicted, measured : arrays of shape (n_rows, n_voxels)
            Of the whole model.
        weights : array of shape (n_columns, n_voxels)
            Weights of the band's columns.
        """
        values, delays = self.band.values[story], self.band.delays
        factors = np.asarray(self.band.weights, np.float32)[:, None, None]
        by_delay = weights.reshape(len(delays), values.shape[1], -1) * factors
        added = np.stack([values @ w for w in by_delay])
        own = Copies(np.zeros_like(predicted), measured, delays, added)
        return Copies(predicted - own.predicted(self.match_rows[story]), measured, delays, added)


def _copied_from_each(scores: np.ndarray, options: BandOptions) -> np.ndarray:
    """Features of a match to each row, then of no match, (n_rows + 1, n_features).

    The last rows, which nothing follows that could be copied, are those of no match; no row may
    match them.
    """
    n_rows = len(scores)
    complete = n_rows - max(options.matching.offsets)
    everywhere = np.arange(complete)
    each = Matches.hard(everywhere, np.ones(complete))
    features = band_features(options, scores, each)
    return np.concatenate(
        [features[:complete], np.zeros((n_rows + 1 - complete, features.shape[1]))]
    )
