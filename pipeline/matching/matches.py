"""Induction matching: which earlier TR a TR is matched to, and the features this gives.

At row f a matcher points to an earlier row m of the same story; the features are how the BOLD
(principal components) changed after it, PC[m+j] - PC[m] for the offsets j (1, 2, 3).

Time. The feature of row f reaches the prediction of row t = f + d through the FIR delay d. With the
smallest delay d_min the newest BOLD used is row m + J (J, the largest offset), and it must not be
newer than t - h: m <= f + d_min - h - J. With h = 2, d_min = 1, J = 3 that is m <= f - 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.core.atomic import atomic_path

NO_MATCH = -1


@dataclass(frozen=True)
class Matching:
    """How matches become features, whatever the matcher: options that all of them have.

    Parameters
    ----------
    offsets : tuple of int
        TRs after the match whose change from the match is copied.
    before : bool
        A control: copy the TRs before the same matches instead.
    delays : tuple of int
        FIR delays, TRs.
    stack : int
        Features of this many TRs (the row's and those before it) go side by side.
    components : int or None
        Leading principal components whose changes are copied (None: all).
    best_fraction : float or None
        Keep only this share of the matched rows, the most similar ones.
    min_lag : int or None
        Match at least this many TRs back (None: what the horizon asks for).
    horizon : int or None
        TRs between a predicted row and the newest BOLD that its prediction may use (None, until
        `pipeline.bands.registry` fills it in: the configuration's).
    """

    offsets: tuple[int, ...] = (1, 2, 3)
    before: bool = False
    delays: tuple[int, ...] = (1, 2, 3, 4)
    stack: int = 3
    components: int | None = None
    best_fraction: float | None = None
    min_lag: int | None = None
    horizon: int | None = None


@dataclass
class Matches:
    """Matches of one story's rows, one entry per row and matched earlier row.

    Parameters
    ----------
    row, match_row : arrays of int, shape (n_matches,)
        The row, and the earlier row it matches; `NO_MATCH` where there is none.
    weight : array of shape (n_matches,)
        Share of this match among those of the row.
    similarity : array of shape (n_matches,)
        The matcher's own measure; NaN without a match.
    words : list of str
        The words that matched, where the matcher has any.
    """

    row: np.ndarray
    match_row: np.ndarray
    weight: np.ndarray
    similarity: np.ndarray
    words: list[str] = field(default_factory=list)

    @classmethod
    def hard(
        cls, match_row: np.ndarray, similarity: np.ndarray, words: list[str] | None = None
    ) -> Matches:
        """One match for each row 0..n_rows-1."""
        n_rows = len(match_row)
        found = match_row != NO_MATCH
        return cls(
            row=np.arange(n_rows),
            match_row=np.asarray(match_row, dtype=int),
            weight=found.astype(float),
            similarity=np.where(found, similarity, np.nan),
            words=words or [""] * n_rows,
        )


def newest_match(n_rows: int, matching: Matching) -> np.ndarray:
    """Newest row that each row may match; negative where none may.

    Parameters
    ----------
    n_rows : int
        Rows of the story.
    matching : Matching
        With its horizon.

    Returns
    -------
    array of int, shape (n_rows,)
    """
    assert matching.horizon is not None, "the configuration's horizon is filled in"
    needed = matching.horizon + max(matching.offsets) - min(matching.delays)
    lag = max(needed, matching.min_lag or 0, 1)  # a match is always in the past
    return np.arange(n_rows) - lag


def fir_of_matches(matching: Matching) -> tuple[list[int], list[float]]:
    """FIR delays and column factors that stand for stacking and then delaying.

    Stacking the features of TRs f, f-1, f-2 and then applying delays 1-4 makes copies of the same
    columns (delay 3 three times). Ridge on copies equals ridge on one column scaled by the square
    root of their number, so each distinct delay is built once with that factor.

    Returns
    -------
    delays : list of int
    weights : list of float
    """
    total = [d + s for d in matching.delays for s in range(matching.stack)]
    delays, counts = np.unique(total, return_counts=True)
    return delays.tolist(), np.sqrt(counts).tolist()


def induction_features(
    matches: Matches, scores: np.ndarray, offsets: Sequence[int], before: bool = False
) -> np.ndarray:
    """How the BOLD changed after the matched rows, averaged by the matches' weights.

    Parameters
    ----------
    matches : Matches
        Matches of a story's rows.
    scores : array of shape (n_rows, n_components)
        Principal-component scores of the subject's BOLD in the story.
    offsets : sequence of int
        TRs after the match.
    before : bool
        Copy what came before the matches: PC[m-j] - PC[m], zero before the story's first row. What
        a match gains by its moment being followed by something, this control cannot.

    Returns
    -------
    array of shape (n_rows, len(offsets) * n_components)
        Zero for rows without a match.
    """
    from scipy.sparse import csr_array  # slow to import

    found = matches.match_row != NO_MATCH
    places = matches.row[found], matches.match_row[found]
    weights = csr_array((matches.weight[found], places), (len(scores), len(scores)))
    return weights @ np.concatenate([_change(scores, -j if before else j) for j in offsets], axis=1)


def _change(scores: np.ndarray, offset: int) -> np.ndarray:
    """Change from every row to the one `offset` rows on; zero where that is outside the story."""
    change = np.zeros_like(scores)
    first, last = max(0, -offset), len(scores) - max(0, offset)
    change[first:last] = scores[first + offset : last + offset] - scores[first:last]
    return change


def keep_best(
    by_story: dict[str, Matches], train: Sequence[str], fraction: float
) -> dict[str, Matches]:
    """Drop the matches of rows whose best match is not similar enough.

    Parameters
    ----------
    by_story : dict of str to Matches
        Matches of every story.
    train : sequence of str
        Training stories; their matched rows set the threshold.
    fraction : float
        Share of the training stories' matched rows that is kept (more with ties).
    """
    pooled = np.concatenate([best_of_rows(by_story[story]) for story in train])
    pooled = pooled[~np.isnan(pooled)]
    threshold = np.quantile(pooled, 1 - fraction, method="higher") if len(pooled) else np.inf
    return {story: drop_below(m, threshold) for story, m in by_story.items()}


def kept_from(kept: Mapping[str, Matches], train: Sequence[str]) -> float:
    """Similarity from which `keep_best` kept matches, by what it kept; infinite if that is nothing.

    Its threshold is the similarity of a match of the training stories, which is kept itself.
    """
    best = np.concatenate([best_of_rows(kept[story]) for story in train])
    return float(np.nanmin(best)) if np.isfinite(best).any() else np.inf


def best_of_rows(matches: Matches) -> np.ndarray:
    """Largest similarity of each row, NaN without a match, array of shape (n_rows,)."""
    best = np.full(matches.row.max(initial=-1) + 1, np.nan)
    np.fmax.at(best, matches.row, matches.similarity)
    return best


def drop_below(matches: Matches, threshold: float) -> Matches:
    """Leave rows whose best similarity is below the threshold without a match."""
    low = ~(best_of_rows(matches)[matches.row] >= threshold)
    first = np.r_[True, np.diff(matches.row) > 0]
    keep = ~low | first
    return Matches(
        row=matches.row[keep],
        match_row=np.where(low, NO_MATCH, matches.match_row)[keep],
        weight=np.where(low, 0.0, matches.weight)[keep],
        similarity=np.where(low, np.nan, matches.similarity)[keep],
        words=np.where(low, "", matches.words)[keep].tolist(),
    )


def save_matches(path: str | Path, by_story: dict[str, Matches]) -> None:
    """Write matches as Parquet: story, tr, match_tr (or null), lag, similarity, weight,
    matched_words.
    """
    import pandas as pd  # slow to import

    frames = []
    for story, m in by_story.items():
        frame = pd.DataFrame({"story": story, "tr": m.row, "match_tr": m.match_row})
        frame["match_tr"] = frame["match_tr"].astype("Int64").mask(m.match_row == NO_MATCH)
        frame["lag"] = frame["tr"] - frame["match_tr"]
        frame["similarity"] = m.similarity
        frame["weight"] = m.weight
        frame["matched_words"] = m.words
        frames.append(frame)
    with atomic_path(path) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary)


def load_matches(path: str | Path) -> dict[str, Matches]:
    """Read what `save_matches` wrote."""
    import pandas as pd  # slow to import

    table = pd.read_parquet(path)
    return {
        str(story): Matches(
            row=part["tr"].to_numpy(),
            match_row=part["match_tr"].fillna(NO_MATCH).to_numpy(dtype=int),
            weight=part["weight"].to_numpy(),
            similarity=part["similarity"].to_numpy(),
            words=part["matched_words"].tolist(),
        )
        for story, part in table.groupby("story", sort=False)
    }
