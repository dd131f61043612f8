"""The passages of a memory that are most like a context, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Normalise = Literal["none", "centre", "standardise", "whiten"]
BLOCK = 2048  # queries compared at a time
RIDGE = 1e-3  # share of the mean variance that is added to every direction's before whitening


@dataclass(frozen=True)
class Space:
    """Where states are compared: about a mean, by a map, as unit vectors.

    Parameters
    ----------
    mean : array of shape (dim,)
    map : array of shape (dim,) or (dim, dim)
        Factors of the dimensions, or a matrix.
    """

    mean: np.ndarray
    map: np.ndarray

    @classmethod
    def fit(cls, states: np.ndarray, how: Normalise) -> Space:
        """From a memory's states, (n_passages, dim), and nothing else.

        Language models' states share a large mean, and few dimensions have most of the variance
        (Timkey and van Schijndel 2021, https://doi.org/10.18653/v1/2021.emnlp-main.372): without
        their mean, or with equal variances, cosines tell contexts apart.
        """
        states = np.asarray(states, np.float64)
        mean = states.mean(axis=0) if how != "none" else np.zeros(states.shape[1])
        if how == "standardise":
            scale = states.std(axis=0)
            factors = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
        elif how == "whiten":
            variances, vectors = np.linalg.eigh(np.cov(states.T, bias=True).reshape(len(mean), -1))
            added = RIDGE * max(variances.mean(), np.finfo(float).tiny)
            factors = vectors / np.sqrt(np.maximum(variances, 0) + added)
        else:
            factors = np.ones(len(mean))
        return cls(mean.astype(np.float32), factors.astype(np.float32))

    def place(self, states: np.ndarray) -> np.ndarray:
        """Unit vectors of states, (n, dim), float32; zeros for a state at the mean."""
        about = np.asarray(states, np.float32) - self.mean
        placed = about * self.map if self.map.ndim == 1 else about @ self.map
        length = np.linalg.norm(placed, axis=1, keepdims=True)
        return np.divide(placed, length, out=np.zeros_like(placed), where=length > 0)


def nearest(
    queries: np.ndarray, memory: np.ndarray, allowed: np.ndarray, k: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` passages most like each query.

    Exact: blocks of queries against the whole memory.

    Parameters
    ----------
    queries, memory : arrays of shape (n_queries, dim), (n_passages, dim)
        Unit vectors (`Space.place`).
    allowed : array of bool, shape (n_passages,)
        Passages that may be found.
    k : int or None
        How many (None: all that are allowed); fewer where there are fewer.

    Returns
    -------
    index : array of int32, shape (n_queries, k)
        The most alike first.
    cosine : array of shape (n_queries, k), float32
    """
    places = np.flatnonzero(allowed)
    among = memory[places]
    k = len(places) if k is None else min(k, len(places))
    index = np.empty((len(queries), k), np.int32)
    cosine = np.empty((len(queries), k), np.float32)
    if k == 0:
        return index, cosine
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        alike = queries[block] @ among.T
        found = (
            np.argpartition(-alike, k - 1, axis=1)[:, :k] if k else np.empty((len(alike), 0), int)
        )
        found.sort(axis=1)
        values = np.take_along_axis(alike, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        index[block] = places[np.take_along_axis(found, order, axis=1)]
        cosine[block] = np.take_along_axis(values, order, axis=1)
    return index, cosine


def soft_weights(cosine: np.ndarray, temperature: float) -> np.ndarray:
    """Shares exp((cosine - 1) / temperature), rows summing to one, (n_queries, k), float32."""
    best = cosine.max(axis=1, keepdims=True, initial=-1)
    weight = np.exp((np.asarray(cosine, np.float64) - best) / temperature)
    return (weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)).astype(np.float32)


def effective_number(weight: np.ndarray) -> np.ndarray:
    """How many equal shares say as much as these, 1 / sum of squares; 0 without any, (n,)."""
    total = np.square(np.asarray(weight, np.float64)).sum(axis=1)
    return np.divide(1, total, out=np.zeros_like(total), where=total > 0)
