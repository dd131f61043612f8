import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gim.text.ngram import previous_occurrences


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 5))
def test_against_brute_force(ids, n):
    expected = []
    for i in range(len(ids)):
        gram = ids[i - n + 1 : i + 1] if i >= n - 1 else None
        earlier = [j for j in range(n - 1, i) if gram == ids[j - n + 1 : j + 1]]
        expected.append(earlier[-1] if gram and earlier else -1)
    assert previous_occurrences(np.array(ids, dtype=int), n).tolist() == expected


@pytest.mark.parametrize("base", [0, 70_000, 2**40])
def test_large_ids(base):
    ids = base + np.array([1, 2, 3, 1, 2, 3])
    assert previous_occurrences(ids, 3).tolist() == [-1, -1, -1, -1, -1, 2]
