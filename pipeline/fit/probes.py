"""Scores of most voxels at a few points say their scores at all others.

A voxel's cross-validation scores change smoothly from one alpha to the next, and together for a
band left out here and there. So what the reference voxels scored at all points teaches which few
of these, the probes, tell most, and how scores at the others follow from them: a linear map of the
scores on each fold (an interpolative decomposition by groups of columns; Cheng, Gimbutas,
Martinsson and Rokhlin 2005, On the compression of low rank matrices).

What is known at the probes are not the scores but hints, where these are enough: r with the
variance that predictions have over the training rows, which costs less than half. Scores follow by
the same map, as predictions vary less on other rows, but by as much for one voxel as for another.

How many probes it takes is decided by what they are for. Reference voxels are treated as if they
were others, with a map that was learnt without them. Most voxels of a brain are predicted by
nothing; of these only the mean r matters, so for all voxels there are the first few probes, by
which that mean changes by at most `SHIFT`. For those that are predicted there are more, until the
out-of-fold r of 99 % of them is expected to change by less than `ERROR`. Where hints cannot say
that, scores at probes do. Of all such plans the cheapest is taken; where it saves less than half,
all points are probes, and nothing is interpolated; so it is with few rows.

Where scores at two points are nearly equal, interpolation decides between them by chance, and few
reference voxels say how much that costs: with a band that says nothing kept, or one that says
little left out, a voxel loses 0.04 of its r on a fold. So with many rows the points that seem best
to a voxel that is predicted are scored in the end (a run-off), and these scores decide between
them. A search uses nothing but its own folds' scores for any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.fit.choices import (
    RIVALS,
    Alike,
    best_of,
    errors_of,
    only_rivals,
    rivals_of,
    with_scores,
)
from pipeline.fit.pooling import pooled

# Cross-validated r up to which a voxel counts as not predicted: below what matters by some standard
# errors.
FAINT = 0.03
SHIFT = 0.0005  # change in mean r of those that are not
# Change in r that 99 % of the others stay below, with so many rows, and how many times the typical
# one that is: few choose otherwise, but then it matters, and few reference voxels say how few. With
# fewer rows r is known less well, and so is what is best: with 9,000 rows the typical change is a
# ninth of r's standard error, where with 34,000 it is a thirtieth.
ERROR, TAIL, FULL, FEWER = 0.002, 8, 34_000, 1.5
MISSED = 0.02  # share of the others that may be taken for faint: those near that bound
HINT = 0.4  # cost of a hint over that of a score
NEARLY_ALL = 0.5  # share of the cost of all points, as estimated, from which all are probes
NOISE = 1e-7  # variance of a score that no map need explain
RANK = 100  # components in which probes are looked for, at most
ENOUGH = 100  # reference voxels from which a share of 1 % means anything
ROWS = 5_000  # training rows from which on anything is interpolated
# From which on there is a run-off. With fewer, scores decide by chance as well: with 9,000 rows
# 99 % of the voxels keep to the bound without one, and it would cost as much again as all else.
MANY = 20_000
GROUPS = 5  # of reference voxels, each predicted by a map learnt on the others


def typical(change: np.ndarray) -> float:
    """Root mean square of the change in out-of-fold r that a search makes by other choices.

    What another choice does on a fold that the search does not know is told by what it does on
    those that it knows, (n_folds, n_voxels): there it is better or worse by chance as well. Each
    search of a nested cross-validation predicts one fold more than it has, and chooses by itself.
    """
    n_folds, n_voxels = change.shape
    return float(np.sqrt(np.square(change).sum() / max(n_voxels, 1) / n_folds / (n_folds + 1)))


def enough(n_reference: int, n_rows: int) -> bool:
    """Whether so many reference voxels and training rows say anything of other voxels."""
    return n_reference >= ENOUGH and n_rows >= ROWS


@dataclass(frozen=True)
class Map:
    """A linear map from what is known of some candidates to the scores of all.

    Parameters
    ----------
    known : array of int
        The candidates of which scores are known, or hints.
    exact : bool
        Whether it is the scores.
    given, means, weights : arrays of shape (n_known,), (n_candidates,), (n_known, n_candidates)
        Means of what is known, and of all scores; and what these follow with from differences to
        the former.
    """

    known: np.ndarray
    exact: bool
    given: np.ndarray
    means: np.ndarray
    weights: np.ndarray

    @classmethod
    def learnt(cls, scores: np.ndarray, known: np.ndarray, hints: np.ndarray | None = None) -> Map:
        """From scores on folds, (n_folds, n_candidates, n_voxels), and hints of as many."""
        samples, given = _samples(scores), _samples((scores if hints is None else hints)[:, known])
        means, at = samples.mean(axis=1), given.mean(axis=1)
        apart = given - at[:, None]
        system = apart @ apart.T
        system.flat[:: len(known) + 1] += NOISE * samples.shape[1]
        weights = np.linalg.solve(system, apart @ (samples - means[:, None]).T)
        return cls(known, hints is None, at, means, weights)

    def filled(self, known: np.ndarray) -> np.ndarray:
        """All scores on folds of what is known of candidates, (n_folds, n_known, n_voxels)."""
        apart = known - self.given[:, None]
        every = self.means[:, None] + self.weights.T @ apart
        if self.exact:
            every[:, self.known] = known
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

    @property
    def exact(self) -> bool:
        """Whether scores are known at the probes, or hints."""
        return self.every is None or self.every.exact

    def filled(self, known: np.ndarray) -> np.ndarray:
        """All scores on folds of what is known at the probes, (n_folds, n_known, n_voxels)."""
        return self.every.filled(known) if self.every else known

    def cost(self, costs: np.ndarray) -> float:
        """Of a voxel, as a share of what scores at all points cost, which are given."""
        return (1 if self.exact else HINT) * float(costs[self.probes].sum() / costs.sum())


@dataclass(frozen=True)
class Plan:
    """How much is found out of which voxels.

    Parameters
    ----------
    first, last : Stage
        For all voxels; and for those whose r is then above `gate`.
    gate : float
        `FAINT`, or less where r is uncertain after the first stage.
    cost : float
        Of a voxel on average, as a share of what scores at all points cost.
    run_off : bool
        Whether scores decide between the points that then seem best to the latter voxels.
    """

    first: Stage
    last: Stage
    gate: float
    cost: float
    run_off: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether anything is done after the first stage: the last one, or a run-off."""
        return self.last is not self.first or self.run_off

    @classmethod
    def of_all(cls, n_points: int) -> Plan:
        """Scores at all points: taken where others save less than half of them."""
        every = Stage(list(range(n_points)))
        return cls(every, every, FAINT, NEARLY_ALL)


@dataclass(frozen=True)
class Chooser:
    """Chooses for voxels of which something is known at probes only.

    Parameters
    ----------
    plan : Plan
    alike : Alike
        The reference voxels.
    n_points : int
        All points.
    """

    plan: Plan
    alike: Alike
    n_points: int

    @classmethod
    def of(
        cls,
        scores: np.ndarray,
        costs: np.ndarray,
        n_rows: int,
        hints: np.ndarray | None = None,
    ) -> Chooser:
        """From the reference voxels' scores, as costs least.

        Parameters
        ----------
        scores : array of shape (n_folds, n_candidates, n_reference)
            Candidates of a point lie side by side, as many at each.
        costs : array of shape (n_points,)
            Of each point.
        n_rows : int
            Training rows of the regression.
        hints : array of shape (n_folds, n_candidates, n_reference), optional
            Of the same, where there are any.
        """
        scores, n = scores.astype(np.float64), scores.shape[1] // len(costs)
        alike, voxels = Alike.of(scores), np.arange(scores.shape[2])
        own = best_of(pooled(alike.scores, alike.error, voxels))
        tries = [*_tries(alike, scores, hints, costs, n)] if enough(len(voxels), n_rows) else []
        changes = [scores[:, found, voxels] - scores[:, own, voxels] for _, found, _ in tries]
        bound = ERROR / TAIL * max(FULL / n_rows, 1) ** FEWER
        predicted = alike.scores[own, voxels] > FAINT
        plans = _plans(tries, changes, predicted, bound, costs, n_rows >= MANY)
        plan = min([Plan.of_all(len(costs)), *plans], key=lambda plan: plan.cost)
        return cls(plan, alike, len(costs))

    def at_all_points(self) -> Chooser:
        """One to which all points are probes."""
        return replace(self, plan=Plan.of_all(self.n_points))

    def best(self, stage: Stage, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is best for voxels, and its mean r, by what is known at the probes of a stage.

        Parameters
        ----------
        stage : Stage
            One of the plan's.
        known : array of shape (n_folds, n_probes * n_combinations, n_voxels)
            Scores on folds, or hints.

        Returns
        -------
        candidate, score : arrays of shape (n_voxels,)
        """
        every = stage.filled(known)
        return _chosen(every, self.alike.shared(every, stage.inflation))

    def rivals(self, stage: Stage, known: np.ndarray) -> np.ndarray:
        """The points that seem best, (n_rivals, n_voxels), the best first; `known` as of `best`."""
        shared = self.alike.shared(stage.filled(known), stage.inflation)
        return rivals_of(shared, self.n_points)

    def decide(
        self, stage: Stage, known: np.ndarray, rivals: np.ndarray, scores: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """`best`, by scores at the rivals, (n_rivals, n_folds, n_combinations, n_voxels)."""
        every = with_scores(stage.filled(known), rivals, scores, self.n_points)
        shared = self.alike.shared(every, stage.inflation)
        return _chosen(every, only_rivals(shared, rivals, self.n_points))


def _chosen(every: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best candidate of voxels by shared scores, and its mean r by all scores on folds."""
    found = best_of(shared)
    return found, every.mean(axis=0)[found, np.arange(len(found))]


def _samples(scores: np.ndarray) -> np.ndarray:
    """Scores on folds as (n_candidates, n_folds * n_voxels)."""
    return scores.transpose(1, 0, 2).reshape(scores.shape[1], -1)


Try = tuple[Stage, np.ndarray, np.ndarray]  # and what reference voxels would choose by it


def _tries(
    alike: Alike, scores: np.ndarray, hints: np.ndarray | None, costs: np.ndarray, n: int
) -> Iterator[Try]:
    """More and more probes, `n` candidates each: with hints at them, then with scores."""
    told = [*_by_what_they_tell(scores, costs)]
    for given in (hints, None) if hints is not None else (None,):
        for probes in told:
            if costs[probes].sum() > NEARLY_ALL * costs.sum():
                break
            yield _tried(alike, scores, given, probes, n)


def _plans(
    tries: list[Try],
    changes: list[np.ndarray],
    predicted: np.ndarray,
    bound: float,
    costs: np.ndarray,
    run_off: bool,
) -> Iterator[Plan]:
    """Every first stage that is enough for voxels that nothing predicts, with the least that is
    enough for the others.

    Parameters
    ----------
    tries : list
        Cheaper ones first.
    changes : list of arrays of shape (n_folds, n_reference)
        Of the reference voxels' r, by each.
    predicted : array of bool, shape (n_reference,)
        Which of them are.
    bound : float
        Of the typical change of these.
    costs : array of shape (n_points,)
    run_off : bool
        Whether scores decide in the end, where points are left to be scored.
    """
    for i, (first, _, said) in enumerate(tries):
        shift = changes[i][:, ~predicted].mean(axis=0).sum()
        if not abs(shift) <= SHIFT * (~predicted).sum():
            continue
        gate = FAINT
        if predicted.any():
            gate = min(gate, float(np.quantile(said[predicted], MISSED)))
        further, last = said > gate, Plan.of_all(len(costs)).last
        for (stage, _, _), change in zip(tries[i:], changes[i:], strict=True):
            if typical(np.where(further, change, changes[i])[:, predicted]) <= bound:
                last = stage
                break
        known = first.cost(costs) if first.exact == last.exact else 0.0
        decided = run_off and last.every is not None
        more = last.cost(costs) - known + decided * RIVALS / len(costs)
        yield Plan(first, last, gate, first.cost(costs) + further.mean() * more, decided)


def _tried(
    alike: Alike, scores: np.ndarray, hints: np.ndarray | None, probes: list[int], n: int
) -> Try:
    """Maps are learnt without the voxels whose scores they give."""
    known = np.concatenate([np.arange(p * n, (p + 1) * n) for p in probes])
    given = (scores if hints is None else hints)[:, known]
    every, groups = scores.copy(), np.arange(scores.shape[2]) % GROUPS
    for group in np.unique(groups):
        own = groups == group
        learnt = Map.learnt(scores[..., ~own], known, None if hints is None else hints[..., ~own])
        every[:, :, own] = learnt.filled(given[..., own])
    smooth = errors_of(every).sum()
    inflation = float(alike.error.sum() / smooth) if smooth > 0 else 1.0
    found, said = _chosen(every, alike.shared(every, inflation, np.arange(len(alike.error))))
    return Stage(probes, Map.learnt(scores, known, hints), inflation), found, said


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
