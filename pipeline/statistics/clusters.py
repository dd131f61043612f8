"""Clusters of neighbouring voxels or vertices in which a statistic is beyond a threshold."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def label_clusters(side: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number the clusters: units that are connected and on the same side.

    Parameters
    ----------
    side : array of int, shape (n_units,)
        1 above the threshold, -1 below its negative, 0 between.
    edges : array of int, shape (n_edges, 2)
        Pairs of neighbours (`pipeline.voxels.adjacency`).

    Returns
    -------
    array of int, shape (n_units,)
        From 1; 0 where `side` is 0.
    """
    active = np.flatnonzero(side)
    labels = np.zeros(len(side), dtype=int)
    if not len(active):
        return labels
    first, second = side[edges[:, 0]], side[edges[:, 1]]
    kept = edges[(first == second) & (first != 0)]
    place = np.cumsum(side != 0) - 1  # among the active
    ends = place[kept].T
    graph = coo_array((np.ones(len(kept), bool), (ends[0], ends[1])), shape=(len(active),) * 2)
    labels[active] = connected_components(graph, directed=False)[1] + 1
    return labels


def cluster_sizes(labels: np.ndarray) -> np.ndarray:
    """Size of the cluster that each unit is in, 0 outside, array of int, shape (n_units,)."""
    counts = np.bincount(labels, minlength=1)
    counts[0] = 0
    return counts[labels]
