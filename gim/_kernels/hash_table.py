"""Compiled kernels: an open-addressing hash table from (owner, token) to a number.

The table is two arrays, ``keys`` (uint64) and ``values``; their size is a power of two, and at most
half of it may be in use. A key of 2**64 - 1 marks an empty slot.
"""

import numpy as np
from numba import njit


@njit(cache=True, inline="always")
def _home(key, mask):
    """Where a key belongs: from bit 32 on, the product depends on its token and its owner."""
    return ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask


@njit(cache=True, inline="always")
def _slot(keys, owner, token):
    """Where (owner, token) lies in the open-addressing table, or the empty slot that ends it."""
    mask = np.uint64(len(keys) - 1)
    key = (np.uint64(owner) << np.uint64(32)) | np.uint64(token)
    i = _home(key, mask)
    while keys[i] != key and keys[i] != np.uint64(2**64 - 1):
        i = (i + np.uint64(1)) & mask
    return i, key


@njit(cache=True)
def lookup(keys, values, owner, token):
    """Child of ``owner`` whose edge starts with ``token`` (0: none)."""
    i, key = _slot(keys, owner, token)
    return values[i] if keys[i] == key else 0


@njit(cache=True)
def store(keys, values, owner, token, value):
    i, key = _slot(keys, owner, token)
    keys[i] = key
    values[i] = value


@njit(cache=True)
def remove(keys, values, owner, token):
    """Delete an entry and close the gap, so that no tombstones pile up in an endless stream."""
    empty = np.uint64(2**64 - 1)
    mask = np.uint64(len(keys) - 1)
    gap, _ = _slot(keys, owner, token)
    i = gap
    while True:
        i = (i + np.uint64(1)) & mask
        if keys[i] == empty:
            break
        home = _home(keys[i], mask)
        if ((i - home) & mask) >= ((i - gap) & mask):
            keys[gap] = keys[i]
            values[gap] = values[i]
            gap = i
    keys[gap] = empty


@njit(cache=True)
def rehash(old_keys, old_values, keys, values):
    """Move all entries to a larger table."""
    for i in range(len(old_keys)):
        if old_keys[i] != np.uint64(2**64 - 1):
            owner = np.int64(old_keys[i] >> np.uint64(32))
            token = np.int64(old_keys[i] & np.uint64(0xFFFFFFFF))
            store(keys, values, owner, token, old_values[i])
