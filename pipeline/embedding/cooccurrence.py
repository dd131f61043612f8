"""The compiled kernel that counts co-occurrences; apart, as numba is slow to import."""

import numba


@numba.njit(cache=True)
def count(counts, coded, basis_of, window):
    """Add to `counts` (basis word, word code) the neighbours of basis words in one document."""
    for i in range(len(coded)):
        row = basis_of[coded[i]]
        if row < 0:
            continue
        for j in range(max(i - window, 0), i):
            counts[row, coded[j]] += 1
        for j in range(i + 1, min(i + window + 1, len(coded))):
            counts[row, coded[j]] += 1
