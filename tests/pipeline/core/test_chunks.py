import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.progress import chunks


@given(st.integers(0, 50), st.integers(0, 50), st.integers(-1, 60))
def test_chunks_cover_every_place_once_and_in_order(start, n, size):
    found = chunks(range(start, start + n), size)
    places = np.arange(200)
    joined = [int(i) for chunk in found for i in places[chunk]]
    assert joined == list(range(start, start + n))
    assert all(1 <= chunk.stop - chunk.start <= max(size, 1) for chunk in found)
    assert len(found) == -(-n // max(size, 1))
