import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.grid import Grid
from pipeline.dataset.story import METHODS, downsample, lanczos_weights


def weight_by_hand(word_time: float, tr_time: float, tr: float) -> float:
    x = (tr_time - word_time) / tr
    if abs(x) >= 3:
        return 0.0
    if x == 0:
        return 1.0
    return (math.sin(math.pi * x) / (math.pi * x)) * (math.sin(math.pi * x / 3) / (math.pi * x / 3))


@given(
    st.lists(st.floats(-20, 120), min_size=1, max_size=20),
    st.sampled_from([1.0, 1.5, 2.0, 2.0045]),
)
def test_lanczos_weights_follow_the_formula(times, tr):
    tr_times = np.arange(40) * tr + tr / 2
    found = lanczos_weights(np.array(times), tr_times, tr)
    expected = [[weight_by_hand(w, t, tr) for w in times] for t in tr_times]
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-12)
    assert found.nnz <= 7 * len(times)  # a word is near a few volumes


def test_lanczos_is_centred_on_mid_times_and_not_normalised():
    grid = Grid(n_scanned=40)
    onset, offset = np.array([30.4]), np.array([31.6])  # mid-time 31.0, the middle of a TR
    out = downsample(np.ones((1, 1)), onset, offset, grid, "lanczos")[:, 0]
    row = grid.row_of(np.array([31.0]))[0]
    assert out.argmax() == row
    assert out[row] == 1.0
    assert abs(out[row - 1]) < 1e-7  # zeros of the kernel at whole TRs
    two = downsample(np.ones((2, 1)), onset.repeat(2), offset.repeat(2), grid, "lanczos")
    assert two[row, 0] == 2.0  # two words weigh twice as much as one


def test_sum_and_average_count_by_onset():
    grid = Grid(n_scanned=40)
    onsets = np.array([9.9, 10.0, 11.9, 12.0])  # row 0 is 10..12 s after the sound starts
    values = np.array([[1.0], [2.0], [4.0], [8.0]])
    total = downsample(values, onsets, onsets + 5, grid, "sum")[:, 0]
    mean = downsample(values, onsets, onsets + 5, grid, "average")[:, 0]
    assert total[:3].tolist() == [6.0, 8.0, 0.0]
    assert mean[:3].tolist() == [3.0, 8.0, 0.0]


@pytest.mark.parametrize("method", METHODS)
def test_without_words_rows_are_silent(method):
    none = np.empty(0)
    out = downsample(np.ones((0, 3)), none, none, Grid(40), method)
    assert out.shape == (20, 3) and not out.any()


def test_unknown_method():
    with pytest.raises(ValueError, match="unknown downsampling"):
        downsample(np.ones((1, 1)), np.zeros(1), np.ones(1), Grid(40), "nearest")


def test_long_stories_are_not_cut():
    """The authors' code stopped at 3,218 entries (error 8)."""
    grid = Grid(n_scanned=2000)
    onsets = np.arange(0, 3900, 0.5)  # 7,800 words
    rate = downsample(np.ones((len(onsets), 1)), onsets, onsets + 0.4, grid, "sum")
    assert rate.shape == (1980, 1)
    covered = grid.row_of(onsets[-1:])[0]
    assert (rate[:covered] == 4).all()
