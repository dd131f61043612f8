"""Longest exact n-gram match of each position in the sequence so far."""

from __future__ import annotations

import numpy as np


def previous_occurrences(ids: np.ndarray, n: int) -> np.ndarray:
    """Most recent earlier position that ends the same n-gram.

    Parameters
    ----------
    ids : array of int, shape (n_tokens,)
        Token ids.
    n : int
        Length of the n-gram.

    Returns
    -------
    array of int, shape (n_tokens,)
        At i, the largest j < i with ids[j-n+1..j] == ids[i-n+1..i]; -1 where there is none.
    """
    ids = np.asarray(ids)
    result = np.full(len(ids), -1)
    if len(ids) < n:
        return result
    grams = np.lib.stride_tricks.sliding_window_view(ids, n)
    _, labels = np.unique(grams, axis=0, return_inverse=True)
    labels = labels.reshape(-1)
    order = np.argsort(labels, kind="stable")  # equal n-grams side by side, in order of position
    same = labels[order[1:]] == labels[order[:-1]]
    result[order[1:][same] + n - 1] = order[:-1][same] + n - 1
    return result
