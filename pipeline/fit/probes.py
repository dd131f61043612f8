"""Scores of most voxels at a few points say their scores at all others.

A voxel's cross-validation scores change smoothly from one alpha to the next, and together for a
band left out here and there. So what the reference voxels scored at all points teaches which few
of these, the probes, tell most, and how scores at the others follow from them: a linear map of the
scores on each fold (an interpolative decomposition by groups of columns; Cheng, Gimbutas,
Martinsson and Rokhlin 2005, On the compression of low rank matrices).

How many probes it takes is decided by what they are for. Reference voxels are treated as if they
were others, with a map that was learnt without them. Most voxels of a brain are predicted by
nothing; of these only the mean r matters, so all voxels are scored at the first few probes, by
which that mean changes by at most `SHIFT`. Those that are predicted are scored at more: at most 1 %
of them may choose a candidate that is worse or better than their own by more than `ERROR` in r.
Where that takes nearly all points, all are probes, and nothing is interpolated; so it is with few
rows, where a search is short, and its own folds do not say how far off others are. A search uses
nothing but its own folds' scores for any of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.fit.pooling import averaged, error_variance, pooled

# Scores that differ by less are as good as equal: there the candidate tried first is taken, and of
# narrow bands' alphas the largest. Rounding, which changes with the block, is far smaller.
EQUAL = 1e-4
FAINT = 0.05  # cross-validated r up to which a voxel counts as not predicted
SHIFT = 0.0005  # change in mean r of those that are not
ERROR, SHARE = 0.002, 0.99  # change in r that so many of the others stay below
NEARLY_ALL = 0.8  # share of the cost of all points from which all are probes
NOISE = 1e-7  # variance of a score that no map need explain
RANK = 100  # components in which probes are looked for, at most
ENOUGH = 100  # reference voxels from which a share of 1 % means anything
ROWS = 5_000  # training rows from which on anything is interpolated
GROUPS = 5  # of reference voxels, each predicted by a map learnt on the others


def best_of(scores: np.ndarray) -> np.ndarray:
    """The best candidate of each voxel, (n_voxels,), of shared scores."""
    return (scores >= scores.max(axis=0) - EQUAL).argmax(axis=0)


def errors_of(scores: np.ndarray) -> np.ndarray:
    """Error variance, (n_voxels,), of scores on folds, (n_folds, n_candidates, n_voxels)."""
    scatter = np.square(scores - scores.mean(axis=0)).sum(axis=(0, 1))
    return error_variance(scatter, scores.mean(axis=1), scores.shape[1])


@dataclass(frozen=True)
class Map:
    """A linear map from the scores at some candidates to those at all.

    Parameters
    ----------
    known : array of int
        The candidates whose scores are known.
    means, weights : arrays of shape (n_candidates,), (n_known, n_candidates)
        Of all scores; and what they follow with from the known ones' differences to their means.
    """

    known: np.ndarray
    means: np.ndarray
    weights: np.ndarray

    @classmethod
    def learnt(cls, scores: np.ndarray, known: np.ndarray) -> Map:
        """From scores on folds, (n_folds, n_candidates, n_voxels)."""
        samples = _samples(scores)
        means = samples.mean(axis=1)
        apart = samples - means[:, None]
        system = apart[known] @ apart[known].T
        system.flat[:: len(known) + 1] += NOISE * samples.shape[1]
        return cls(known, means, np.linalg.solve(system, apart[known] @ apart.T))

    def filled(self, scores: np.ndarray) -> np.ndarray:
        """All scores on folds of those of the known candidates, (n_folds, n_known, n_voxels)."""
        apart = scores - self.means[self.known][:, None]
        every = self.means[:, None] + self.weights.T @ apart
        every[:, self.known] = scores
        return every


@dataclass(frozen=True)
class Stage:
    """The points at which voxels are scored, and what follows from these scores.

    Parameters
    ----------
    probes : list of int
        Which of the points, ascending.
    every : Map or None
        From the probes' candidates to all; None where all points are probes.
    inflation : float
        Error variance over that of interpolated scores, which are smoother.
    """

    probes: list[int]
    every: Map | None = None
    inflation: float = 1.0


@dataclass(frozen=True)
class Chooser:
    """Chooses for voxels that were scored at probes only.

    Parameters
    ----------
    first, last : Stage
        For all voxels; and, the probes of `first` and more, for those whose r is then above
        `FAINT`.
    reference, error : arrays of shape (n_candidates, n_reference), (n_reference,)
        Mean scores of the reference voxels, and their error variances.
    """

    first: Stage
    last: Stage
    reference: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, costs: Sequence[float], n_rows: int) -> Chooser:
        """From the reference voxels' scores.

        Parameters
        ----------
        scores : array of shape (n_folds, n_candidates, n_reference)
            Candidates of a point lie side by side, as many at each.
        costs : sequence of float
            Of each point.
        n_rows : int
            Training rows of the regression.
        """
        scores, n = scores.astype(np.float64), scores.shape[1] // len(costs)
        mean, error = scores.mean(axis=0), errors_of(scores)
        own = mean[best_of(pooled(mean, error, np.arange(len(error)))), np.arange(len(error))]
        first, known = None, own > FAINT
        enough = len(error) >= ENOUGH and n_rows >= ROWS
        for probes in _by_what_they_tell(scores, np.asarray(costs)) if enough else ():
            if sum(costs[p] for p in probes) > NEARLY_ALL * sum(costs):
                break
            stage, found, said = _tried(scores, probes, n, mean, error)
            change = mean[found, np.arange(len(error))] - own
            if first is None:
                if not abs(change[~known].sum()) <= SHIFT * (~known).sum():
                    continue
                first, before, further = stage, change, said > FAINT
            change = np.abs(np.where(further, change, before))[known]
            if not len(change) or np.quantile(change, SHARE) <= ERROR:
                return cls(first, stage, mean, error)
        every = Stage(list(range(len(costs))))
        return cls(first or every, every, mean, error)

    def best(self, stage: Stage, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is best for voxels, and its mean r, by their scores at the probes of a stage.

        Parameters
        ----------
        stage : Stage
            `first` or `last`.
        scores : array of shape (n_folds, n_probes * n_combinations, n_voxels)
            Scores on folds.

        Returns
        -------
        candidate, score : arrays of shape (n_voxels,)
        """
        every = stage.every.filled(scores) if stage.every else scores
        alone = np.full(scores.shape[2], -1)
        return _choice(every, stage.inflation, self.reference, self.error, alone)


def _choice(
    every: np.ndarray,
    inflation: float,
    reference: np.ndarray,
    error: np.ndarray,
    same: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Best candidate of voxels, and its mean r, by all scores on folds; see `averaged`."""
    mean = every.mean(axis=0)
    found = best_of(averaged(mean, inflation * errors_of(every), reference, error, same))
    return found, mean[found, np.arange(len(found))]


def _samples(scores: np.ndarray) -> np.ndarray:
    """Scores on folds as (n_candidates, n_folds * n_voxels)."""
    return scores.transpose(1, 0, 2).reshape(scores.shape[1], -1)


def _tried(
    scores: np.ndarray, probes: list[int], n: int, mean: np.ndarray, error: np.ndarray
) -> tuple[Stage, np.ndarray, np.ndarray]:
    """Some probes, `n` candidates each, and what reference voxels would choose by them.

    Maps are learnt without the voxels whose scores they give. `mean` and `error` are those of the
    reference voxels' own scores.
    """
    known = np.concatenate([np.arange(p * n, (p + 1) * n) for p in probes])
    every, groups = scores.copy(), np.arange(scores.shape[2]) % GROUPS
    for group in np.unique(groups):
        own = groups == group
        learnt = Map.learnt(scores[:, :, ~own], known)
        every[:, :, own] = learnt.filled(scores[:, known][:, :, own])
    smooth = errors_of(every).sum()
    inflation = float(errors_of(scores).sum() / smooth) if smooth > 0 else 1.0
    found, said = _choice(every, inflation, mean, error, np.arange(len(error)))
    return Stage(probes, Map.learnt(scores, known), inflation), found, said


def _by_what_they_tell(scores: np.ndarray, costs: np.ndarray) -> Iterator[list[int]]:
    """More and more probes, the next what adds most, a cost, to what is known."""
    samples = _samples(scores)
    samples = (samples - samples.mean(axis=1, keepdims=True)) / np.sqrt(samples.shape[1])
    points = [_leading(block) for block in np.split(samples, len(costs))]
    axes, variances = _axes(np.concatenate(points))
    # Of each point's leading scores, their loadings on components of unit variance.
    ends = np.cumsum([len(block) for block in points])[:-1]
    left = np.split(axes * np.sqrt(variances), ends)
    remaining, probes = list(range(len(costs))), list[int]()
    while remaining:
        gains = [_told(left[p], left)[0] / costs[p] for p in remaining]
        best = remaining.pop(int(np.argmax(gains)))
        left = _told(left[best], left)[1]
        yield (probes := sorted([*probes, best]))


def _axes(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal axes of rows, (n_rows, n_axes), and their variances."""
    variances, axes = np.linalg.eigh(samples @ samples.T)
    kept = slice(None, -RANK - 1, -1)
    return axes[:, kept], variances[kept].clip(0)


def _leading(block: np.ndarray) -> np.ndarray:
    """A point's scores by their leading components, which hold nearly all of their variance."""
    axes, variances = _axes(block)
    return axes[:, variances > NOISE].T @ block


def _told(block: np.ndarray, every: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    """Variance that one point's loadings explain of all, and the loadings that are left."""
    _, sizes, directions = np.linalg.svd(block, full_matrices=False)
    share = np.square(sizes) / (np.square(sizes) + NOISE)
    seen = [loadings @ directions.T for loadings in every]
    explained = sum(float((np.square(s) * share).sum()) for s in seen)
    return explained, [
        loadings - (s * (1 - np.sqrt(1 - share))) @ directions
        for loadings, s in zip(every, seen, strict=True)
    ]
