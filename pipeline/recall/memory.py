"""Which passages a memory has, for every set of folds that is left out of it.

A model that is scored on a fold must know nothing of that fold's stories, and the alphas of such a
model are chosen by models that lack another fold besides. So there is a memory for every fold and
every pair of folds left out, from the training stories of the others alone (and a corpus, which no
fold has), and a last one from all training stories, with which test stories are predicted. The
features of a story's rows depend on the memory, so each model has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from pipeline.recall.contexts import CORPUS, Contexts, joined
from pipeline.recall.nearest import Normalise, Space

Out = tuple[int, ...]  # folds left out, ascending


def versions(folds: Mapping[str, int]) -> list[Out]:
    """Sets of folds that some model of a nested cross-validation is made without; () first."""
    n = max(folds.values()) + 1
    return [out for size in (0, 1, 2) for out in combinations(range(n), size)]


def key_of(out: Out) -> str:
    """Name of a version in files."""
    return "without-" + "-".join(map(str, out)) if out else "all"


@dataclass(frozen=True)
class Pool:
    """Every passage that some memory may have.

    Parameters
    ----------
    contexts : Contexts
        Their states and words.
    name : array of str, shape (n,)
        Story of each, or `CORPUS`.
    fold : array of int, shape (n,)
        Fold of its story; -1 for a corpus.
    """

    contexts: Contexts
    name: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, parts: Mapping[str, Contexts], folds: Mapping[str, int]) -> Pool:
        """Passages of training stories, in the order of `folds`, and of a corpus.

        Parameters
        ----------
        parts : mapping of str to Contexts
            Of stories, and `CORPUS`; stories without a fold, such as test stories, are left out.
        folds : mapping of str to int
            Fold of each training story.
        """
        names = [name for name in [*folds, CORPUS] if name in parts]
        counts = [parts[name].n for name in names]
        return cls(
            joined([parts[name] for name in names]),
            np.repeat(np.array(names, dtype=object), counts),
            np.repeat([folds.get(name, -1) for name in names], counts).astype(int),
        )

    def without(self, out: Out) -> np.ndarray:
        """Passages that no left-out fold has, ascending indices."""
        return np.flatnonzero(~np.isin(self.fold, out))


@dataclass(frozen=True)
class Memory:
    """The passages of one version, placed where states are compared.

    Parameters
    ----------
    index : array of int, shape (n,)
        The passages' indices in the pool, ascending.
    space : Space
        Fitted on them alone.
    placed : array of shape (n, dim)
        Their unit vectors in it.
    """

    index: np.ndarray
    space: Space
    placed: np.ndarray

    @classmethod
    def choose(
        cls,
        pool: Pool,
        out: Out,
        n: int,
        chosen: Literal["sampled", "medoids"],
        normalise: Normalise,
        rng: np.random.Generator,
    ) -> Memory:
        """Take `n` passages without the folds `out`.

        Parameters
        ----------
        pool : Pool
            All passages.
        out : tuple of int
            Folds left out.
        n : int
            How many; at most as many as there are.
        chosen : {"sampled", "medoids"}
            Drawn, or those nearest to k-means centres of what may be chosen.
        normalise : {"none", "centre", "standardise", "whiten"}
            See `Space.fit`.
        rng : Generator
            Draws; with one seed, versions draw the same passages as far as they can.
        """
        order = rng.permutation(pool.contexts.n)
        allowed = pool.without(out)
        drawn = order[np.isin(order, allowed)]
        index = drawn[:n]
        if chosen == "medoids":
            placed = Space.fit(pool.contexts.states[allowed], normalise)
            centres = _medoids(placed.place(pool.contexts.states[allowed]), n)
            index = np.concatenate([allowed[centres], drawn[~np.isin(drawn, allowed[centres])]])[:n]
        index = np.sort(index)
        states = pool.contexts.states[index]
        space = Space.fit(states, normalise)
        return cls(index, space, space.place(states))


def _medoids(states: np.ndarray, n: int) -> np.ndarray:
    """Indices of the states nearest to `n` k-means centres, each once, (at most n,)."""
    from sklearn.cluster import MiniBatchKMeans  # slow to import

    fitted = MiniBatchKMeans(n, random_state=0, n_init=1, batch_size=4096, max_iter=20).fit(states)
    distance = np.linalg.norm(states - fitted.cluster_centers_[fitted.labels_], axis=1)
    order = np.argsort(distance, kind="stable")
    _, first = np.unique(fitted.labels_[order], return_index=True)
    return order[first]
