"""A table of suffixes is found in order, or the entry that is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim._kernels.suffix_array import AT_ONCE, verify

WIDTH = 4


def table_of(text, order):
    """The table's bytes of suffixes in an order."""
    offsets = (np.asarray(order) * text.itemsize).astype("<u4")
    return offsets.view(np.uint8).reshape(-1, 4)[:, :WIDTH].ravel().copy()


def in_order(text):
    """Suffixes by their bytes."""
    return sorted(range(len(text)), key=lambda p: text[p:].tobytes())


def check(text, order, step=None):
    """The first bad entry by `verify`, in blocks of so many."""
    seen, step = np.zeros(len(text) // 8 + 1, np.uint8), step or len(text)
    for begin in range(0, len(text), step):
        end = min(begin + step, len(text))
        bad = verify(text, table_of(text, order), WIDTH, begin, end, seen, 64)
        if bad >= 0:
            return bad
    return -1


TEXTS = st.lists(st.sampled_from([0, 1, 2, 255, 256, 65535]), min_size=2, max_size=40)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["<u2", "<u4"]), st.integers(1, 40), st.data())
def test_only_suffixes_in_order_pass(tokens, kind, step, data):
    text = np.array(tokens, kind)
    order = in_order(text)
    assert check(text, order, step) == -1
    i, j = sorted(data.draw(st.tuples(*2 * [st.integers(0, len(text) - 1)])))
    if i < j:
        swapped = [*order]
        swapped[i], swapped[j] = order[j], order[i]
        assert i <= check(text, swapped, step) <= j
        twice = [*order]
        twice[j] = order[i]
        assert i < check(text, twice, step) <= j


@pytest.mark.parametrize("place", [0, AT_ONCE - 2, AT_ONCE - 1, AT_ONCE, AT_ONCE + 500])
def test_entries_are_compared_across_what_is_looked_at_together(place):
    text = np.random.default_rng(0).integers(0, 3, AT_ONCE + 1000).astype("<u2")
    order = in_order(text)
    assert check(text, order) == -1
    order[place], order[place + 1] = order[place + 1], order[place]
    assert check(text, order) == place + 1
