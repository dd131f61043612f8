"""Searches of voxels for which reference voxels found what there is to choose from.

Reference voxels search by themselves (`pipeline.fit.search`). Of the others of a block something is
found out at the points from which the rest of their scores follows, of those that are predicted at
more of them, and at those that then seem best (`pipeline.fit.probes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from pipeline.core.progress import chunks
from pipeline.fit.probes import Chooser, Plan, Stage, enough
from pipeline.fit.search import Found, Point, Search, exactly, nearly

CHUNK = 256  # voxels chosen for at a time
MOST = 1 / 3  # of the searches: if more need scores at all points, all have them
Known = dict[tuple[int, bool, Point], np.ndarray]  # of a search, whether scores or hints, there


class Guide:
    """What the reference voxels found, for all blocks of a subject.

    Searches are counted: those that each leave a fold out by the fold, last the one over all.

    Parameters
    ----------
    nested, final : callable
        Run the searches of the reference voxels alone, so that they are the same whatever the
        block: those that each leave a fold out, and the one over all folds.
    costs : callable
        Of points, each.
    n_reference, n_rows, n_folds : int
        Reference voxels, training rows and folds.
    """

    def __init__(
        self,
        nested: Callable[[], Search],
        final: Callable[[], Search],
        costs: Callable[[Sequence[Point]], np.ndarray],
        n_reference: int,
        n_rows: int,
        n_folds: int,
    ) -> None:
        self.n_folds, self.hinted = n_folds, enough(n_reference, n_rows)
        self._nested, self._final, self._costs, self._n_rows = nested, final, costs, n_rows
        self._found: dict[int, Found] = {}
        self._choosers: dict[int, Chooser] = {}

    def found(self, k: int) -> Found:
        """What search `k` found."""
        if k not in self._found:
            search = self._final() if k == self.n_folds else self._nested()
            self._found[k] = search.found(0 if k == self.n_folds else k)
        return self._found[k]

    def chooser(self, k: int) -> Chooser:
        """Chooses for other voxels in search `k`."""
        if self.hinted and not self._choosers:
            made = [self._chooser(j) for j in range(self.n_folds + 1)]
            # Searches share models: where most need all scores, hints for the others are work more.
            few = sum(chooser.plan.first.exact for chooser in made) <= MOST * len(made)
            self._choosers = dict(enumerate(made if few else [c.at_all_points() for c in made]))
        if k not in self._choosers:
            self._choosers[k] = self._chooser(k)
        return self._choosers[k]

    def plan(self, k: int) -> Plan:
        """At which points search `k` scores other voxels."""
        return self.chooser(k).plan

    def _chooser(self, k: int) -> Chooser:
        found = self.found(k)
        hints = np.concatenate([*self._hints(k, found)], axis=1) if self.hinted else None
        return Chooser.of(found.scores, self._costs(found.points), self._n_rows, hints)

    def _hints(self, k: int, found: Found) -> Iterable[np.ndarray]:
        """Hints of a search's points, (n_folds, n_combinations, n_reference) each."""
        for point in found.points:
            yield hints_of(self._nested().hints(point), k)

    def complete(self) -> Guide:
        """With all found, and what it was made of forgotten. Returns itself."""
        for k in range(self.n_folds + 1):
            self.chooser(k)
        del self._nested, self._final, self._costs
        return self


def hints_of(nested: np.ndarray, k: int) -> np.ndarray:
    """Hints of search `k`, (n_folds, ...), of those of the nested ones, (n_searches, n_folds, ...).

    Those of the search over all folds are means: of a fold, what all models say that were fitted
    without it and another one, which are nearly the model that was fitted without it alone.
    """
    n = len(nested)
    if k < n:
        return nested[k]
    # Of fold b says search a at place b, or one before: its own fold is none of them.
    others = [[nested[a, b - (b > a)] for a in range(n) if a != b] for b in range(n)]
    return np.stack([np.mean(of_fold, axis=0) for of_fold in others])


class GuidedSearch:
    """The searches of a block of voxels most of which are no reference voxels.

    Parameters
    ----------
    nested, final : Search
        The block's, not run.
    guide : Guide
        What the reference voxels found.
    places : array of shape (n_voxels,)
        Which reference voxel a voxel is, -1 where it is none.
    """

    def __init__(self, nested: Search, final: Search, guide: Guide, places: np.ndarray) -> None:
        self.nested, self.final, self.guide, self.places = nested, final, guide, places
        self._others = np.flatnonzero(places < 0)
        self._chosen: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def best(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Search.best`; of search `k`, as `Guide` counts them."""
        found = self.guide.found(k)
        levels, score = found.levels[:, self.places], found.score[self.places]
        if len(self._others):
            if k not in self._chosen:
                self._choose(self._beside(k))
            candidate, score[self._others] = self._chosen[k]
            chosen = np.divmod(candidate, len(self.final.narrow))
            levels[:, self._others] = self.final.levels(found.points, *chosen)
        return levels, score

    def _beside(self, k: int) -> list[int]:
        """Searches that are made with search `k`: hints are the same for all, scores for those
        that each leave a fold out.
        """
        guide, last = self.guide, self.guide.n_folds
        if guide.plan(k).first.exact:
            nested = [j for j in range(last) if not guide.hinted or guide.plan(j).first.exact]
            return [last] if k == last else nested
        return [j for j in range(last + 1) if not guide.plan(j).first.exact]

    def _choose(self, searches: Iterable[int]) -> None:
        """Find what searches say is best for the other voxels, and its r."""
        plans = {k: self.guide.plan(k) for k in searches}
        first = {k: plan.first for k, plan in plans.items()}
        known = self._at(first, self._others)
        self._chosen |= {k: self._best(k, stage, known) for k, stage in first.items()}
        self._look_again(plans, known)

    def _look_again(self, plans: Mapping[int, Plan], known: Known) -> None:
        """The same by each search's last stage and a run-off, for the voxels that are predicted by
        what its own folds say.
        """
        further = {k: self._chosen[k][1] > plan.gate for k, plan in plans.items() if plan.goes_on}
        more = {k: plans[k].last for k, voxels in further.items() if voxels.any()}
        if not more:
            return
        some = np.flatnonzero(np.any([further[k] for k in more], axis=0))
        # Only what is looked at again is copied: where all points are probes, nothing.
        known = {key: own[:, :, some] for key, own in known.items() if key[0] in more}
        known |= self._at(more, self._others[some], known)
        own = {k: np.flatnonzero(further[k][some]) for k in more}
        rivals = {k: self._rivals(k, more[k], known, own[k]) for k in more if plans[k].run_off}
        scores = self._at_rivals(rivals, own, some)
        for k, stage in more.items():
            run_off = (rivals[k], scores[k]) if k in rivals else None
            candidate, r = self._chosen[k]
            found = self._best(k, stage, known, own[k], run_off)
            candidate[some[own[k]]], r[some[own[k]]] = found

    def _at_rivals(
        self, rivals: Mapping[int, np.ndarray], own: Mapping[int, np.ndarray], some: np.ndarray
    ) -> dict[int, np.ndarray]:
        """Scores of each search at its voxels' rivals:
        (n_rivals, n_folds, n_combinations, n_voxels).
        """
        wanted: dict[Point, dict[int, tuple[np.ndarray, ...]]] = {}
        for k, of_voxels in rivals.items():
            for i, point in enumerate(self.guide.found(k).points):
                where = np.nonzero(of_voxels == i)
                if len(where[0]):
                    wanted.setdefault(point, {})[k] = where
        scores: dict[int, np.ndarray] = {}
        for point, places in sorted(wanted.items()):
            # Searches that leave a fold out share models: of voxels that any of them asks for.
            voxels = np.unique(np.concatenate([own[k][v] for k, (_, v) in places.items()]))
            for k, made in self._scores(point, [*places], self._others[some[voxels]]).items():
                if k not in scores:
                    scores[k] = np.empty((len(rivals[k]), *made.shape[:2], len(own[k])), np.float32)
                rival, voxel = places[k]
                at = np.searchsorted(voxels, own[k][voxel])
                scores[k][rival, :, :, voxel] = made[:, :, at].transpose(2, 0, 1)
        return scores

    def _at(self, stages: Mapping[int, Stage], voxels: np.ndarray, known: Iterable = ()) -> Known:
        """What is to be known of voxels at each search's probes, and is not yet:
        (n_folds, n_combinations, n_voxels) each.
        """
        wanted: dict[tuple[bool, Point], list[int]] = {}
        for k, stage in stages.items():
            points = self.guide.found(k).points
            keys = [(k, stage.exact, points[probe]) for probe in stage.probes]
            for _, exact, point in [key for key in keys if key not in known] if len(voxels) else ():
                wanted.setdefault((exact, point), []).append(k)
        found: Known = {}
        for (exact, point), searches in sorted(wanted.items()):
            of_search = self._scores if exact else self._hints
            made = of_search(point, searches, voxels)
            found |= {(k, exact, point): own for k, own in made.items()}
        return found

    def _scores(
        self, point: Point, searches: list[int], voxels: np.ndarray
    ) -> dict[int, np.ndarray]:
        """R at a point, of searches."""
        nested = [k for k in searches if k < self.guide.n_folds]
        made = dict[int, np.ndarray]()
        if nested:
            scores = self.nested.on_folds(point, (exactly,), nested, voxels)[0]
            made |= {k: scores[k].copy() for k in nested}
        if len(nested) < len(searches):
            made[self.guide.n_folds] = self.final.on_folds(point, (exactly,), None, voxels)[0, 0]
        return made

    def _hints(
        self, point: Point, searches: list[int], voxels: np.ndarray
    ) -> dict[int, np.ndarray]:
        """Hints of it."""
        every = None if self.guide.n_folds in searches else searches
        hints = self.nested.on_folds(point, (nearly,), every, voxels)[0]
        return {k: hints_of(hints, k).copy() for k in searches}

    def _best(
        self,
        k: int,
        stage: Stage,
        known: Known,
        voxels: np.ndarray | None = None,
        run_off: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """`Chooser.best` of a search, for some of the voxels of which something is known; or
        `Chooser.decide`, by their rivals and scores at these.
        """
        chooser, candidates, scores = self.guide.chooser(k), list[np.ndarray](), list[np.ndarray]()
        for part, own in self._parts(k, stage, known, voxels):
            if run_off:
                found = chooser.decide(stage, own, run_off[0][:, part], run_off[1][..., part])
            else:
                found = chooser.best(stage, own)
            candidates.append(found[0])
            scores.append(found[1])
        return np.concatenate(candidates), np.concatenate(scores)

    def _rivals(self, k: int, stage: Stage, known: Known, voxels: np.ndarray) -> np.ndarray:
        """`Chooser.rivals` of a search, of some of the voxels of which something is known."""
        rivals = self.guide.chooser(k).rivals
        parts = self._parts(k, stage, known, voxels)
        return np.concatenate([rivals(stage, own) for _, own in parts], axis=1)

    def _parts(
        self, k: int, stage: Stage, known: Known, voxels: np.ndarray | None
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Voxels, few at a time, and what is known of these at the probes of a stage."""
        points = self.guide.found(k).points
        probes = [known[k, stage.exact, points[probe]] for probe in stage.probes]
        voxels = np.arange(probes[0].shape[2]) if voxels is None else voxels
        for part in chunks(range(len(voxels)), CHUNK):
            yield part, np.concatenate([of[:, :, voxels[part]] for of in probes], axis=1)
