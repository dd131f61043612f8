"""Gram matrices of pairs of bands, summed over the stories of each fold.

They serve every model that has both bands, every block of voxels, and every set of folds left out.
They are in double precision: they are made once, and everything rests on them.

Delayed features are the same rows shifted, so that X_a'X_b at the delays d and e is the one at
d + k and e + k but for the last k rows of each story: a pair of bands with four delays has sixteen
blocks, of seven different lags.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.core.errors import Problem, ProblemError
from pipeline.fit.design import Band, Design
from pipeline.recall.memory import Out

Grams = Mapping[tuple[str, str], np.ndarray]  # (band, band): (n_folds, n_columns, n_columns)
# Of the folds left out, and of the others together (`pipeline.fit.sums.REST`).
RemadeGrams = dict[tuple[str, str], Mapping[int, np.ndarray]]


def gram_of(a: Band, b: Band, folds: Mapping[str, int]) -> np.ndarray:
    """Sums of A'B over the stories of each fold, (n_folds, n_columns_a, n_columns_b), double.

    Parameters
    ----------
    a, b : Band
        The bands; may be the same one.
    folds : mapping of str to int
        Fold of each training story.
    """
    shape = (len(a.delays), a.n_features, len(b.delays), b.n_features)
    sums = np.zeros((max(folds.values()) + 1, *shape))
    lags: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for i, j in product(range(len(a.delays)), range(len(b.delays))):
        lags[b.delays[j] - a.delays[i]].append((i, j))
    for fold, total in enumerate(sums):
        own = [s for s, f in folds.items() if f == fold]
        stories = [s for s in own if s not in a.counted]
        for story in set(own).difference(stories):  # rows that do not count part the others
            total += (a.rows(story).astype(np.float64).T @ b.rows(story)).reshape(shape)
        left, right = ([band.values[s].astype(np.float64) for s in stories] for band in (a, b))
        if a is b:
            right = left
        for lag, places in lags.items() if stories else ():
            if a is b and lag < 0:
                continue  # the transpose of that of -lag
            cut = [max(a.delays[i], b.delays[j]) for i, j in places]
            for (i, j), block in _lagged(left, right, lag, dict(zip(places, cut, strict=True))):
                weighted = a.weights[i] * b.weights[j] * block
                total[i, :, j] += weighted
                if a is b and lag:
                    total[j, :, i] += weighted.T
    return sums.reshape(len(sums), a.n_columns, b.n_columns)


def _lagged(
    a: list[np.ndarray], b: list[np.ndarray], lag: int, cut: Mapping[tuple[int, int], int]
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Sums of products of rows `lag` apart; the later the delay, the fewer the rows of a story.

    Parameters
    ----------
    a, b : lists of arrays of shape (n_rows, n_features)
        Features of each story.
    lag : int
        Rows by which `a` is later.
    cut : mapping of (int, int) to int
        Rows that the later delay of each pair of delays cuts off a story's end.

    Yields
    ------
    The pair of delays, and its sums.
    """
    total, done = np.zeros((a[0].shape[1], b[0].shape[1])), [0] * len(a)
    for place in sorted(cut, key=cut.__getitem__, reverse=True):
        stop = [max(len(rows) - cut[place], 0) for rows in a]
        spans = list(zip(done, stop, strict=True))
        left = _joined(a, spans, max(lag, 0))
        right = left if a is b and not lag else _joined(b, spans, max(-lag, 0))
        total += left.T @ right
        done = stop
        yield place, total


def _joined(stories: list[np.ndarray], spans: list[tuple[int, int]], shift: int) -> np.ndarray:
    """The rows of a span of each story, shifted."""
    parts = [
        rows[start + shift : stop + shift]
        for rows, (start, stop) in zip(stories, spans, strict=True)
    ]
    return np.concatenate(parts)


class GramFile(LayoutFile):
    """Sums of one pair of bands.

    Dataset `gram`: (n_folds, n_columns_a, n_columns_b), double, X_a'X_b of the delayed bands over
    the stories of each fold. Attributes: `layout`; `a` and `b`, the names of the bands.
    """

    LAYOUT = "gram/1"

    @classmethod
    def write(cls, path: str | Path, a: Band, b: Band, folds: Mapping[str, int]) -> None:
        """Make the sums of a pair and write them."""
        with cls._create(path) as made:
            made._file["gram"] = gram_of(a, b, folds)
            made._file.attrs.update({"a": a.name, "b": b.name})

    @classmethod
    def read_all(cls, paths: Sequence[str | Path]) -> Grams:
        """The sums of all pairs in files."""
        return dict(cls(path)._pair() for path in paths)

    def _pair(self) -> tuple[tuple[str, str], np.ndarray]:
        with self._open() as file:
            return (str(file.attrs["a"]), str(file.attrs["b"])), file["gram"][:]


@dataclass(frozen=True)
class DesignGrams:
    """Sums of a design's pairs of bands, which all blocks of voxels share.

    Parameters
    ----------
    fixed : Grams
        Of the bands that are never made anew.
    remade : dict of tuple of int to dict
        Of other pairs, for every set of folds left out; filled by who needs them
        (`pipeline.fit.remade_engine.RemadeSums`).
    """

    fixed: Grams
    remade: dict[Out, RemadeGrams] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, design: Design, folds: Mapping[str, int]) -> DesignGrams:
        """Make those of the bands that are never made anew."""
        return cls(make_grams([band for band in design.bands if not band.remade], folds))


def make_grams(bands: Sequence[Band], folds: Mapping[str, int]) -> Grams:
    """The sums of all pairs of some bands."""
    pairs = combinations_with_replacement(bands, 2)
    return {(a.name, b.name): gram_of(a, b, folds) for a, b in pairs}


def pair_of(grams: Grams, a: Band, b: Band) -> np.ndarray:
    """A pair's sums, (n_folds, n_columns_a, n_columns_b), in whichever order they are kept.

    Raises
    ------
    ProblemError
        If the pair is missing or was made from another band.
    """
    if (a.name, b.name) in grams:
        gram = grams[a.name, b.name]
    elif (b.name, a.name) in grams:
        gram = grams[b.name, a.name].swapaxes(1, 2)
    else:
        gram = np.empty((0, 0, 0))
    if gram.shape[1:] != (a.n_columns, b.n_columns):
        what = f"no Gram matrix of {a.name} and {b.name} with the bands' columns"
        raise ProblemError(Problem("Gram matrices", "", what, "delete them; they are made again"))
    return gram
