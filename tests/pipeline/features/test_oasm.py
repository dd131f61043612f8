"""Which moment of which story: worth nothing where whole stories are left out, else a lot."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from pipeline.dataset.grid import Grid, block_grid
from pipeline.features.oasm import KIND
from tests.helpers.stories import story

N_ROWS = 120
OPTIONS = {**KIND.options, "directions": 4000}


def features(name, options=OPTIONS):
    return KIND.compute(story(["a"], N_ROWS, name=name), options)


def test_products_of_rows_are_those_of_the_smoothed_identity():
    a, b = features("a"), features("b")
    n = Grid(n_scanned=N_ROWS + 20).n_volumes
    smooth = gaussian_filter1d(np.eye(n), OPTIONS["width"], axis=0, mode="constant")[
        10 : 10 + N_ROWS
    ]
    scale = (smooth @ smooth.T).diagonal().mean()
    np.testing.assert_allclose(a @ a.T / 4000 / scale, smooth @ smooth.T / scale, atol=0.12)
    np.testing.assert_allclose(a @ b.T / 4000 / scale, np.zeros((N_ROWS, N_ROWS)), atol=0.12)


def test_blocks_have_the_directions_of_their_story():
    whole = story(["a"], N_ROWS, name="s")
    grid = block_grid(whole.grid, slice(50, 80))
    block = dataclasses.replace(whole, name="s-2", grid=grid, whole="s")
    np.testing.assert_array_equal(KIND.compute(block, OPTIONS), features("s")[50:80])


@pytest.mark.parametrize(("shuffled", "expected"), [(True, (0.5, 1.0)), (False, (-0.2, 0.2))])
def test_it_predicts_slow_noise_where_folds_are_shuffled_and_nothing_where_they_are_stories(
    shuffled, expected
):
    rng = np.random.default_rng(0)
    x = np.concatenate([features(name, KIND.options) for name in "abcde"])
    y = gaussian_filter1d(rng.standard_normal((5, N_ROWS, 20)), 2, axis=1).reshape(-1, 20)
    rows = np.arange(len(x))
    fold = (rng.permutation(len(x) // 10)[rows // 10] if shuffled else rows // N_ROWS) % 5
    predicted = np.zeros_like(y)
    for k in range(5):
        train = fold != k
        gram = x[train] @ x[train].T
        alpha = 0.1 * np.trace(gram) / len(gram)
        weights = np.linalg.solve(gram + alpha * np.eye(len(gram)), y[train])
        predicted[~train] = x[~train] @ x[train].T @ weights
    near = np.ones(len(x), bool)
    if shuffled:  # rows beside the edge of a chunk, which its neighbours know
        near = np.isin(rows % 10, (0, 1, 8, 9))
    r = np.mean(
        [np.corrcoef(p, m)[0, 1] for p, m in zip(predicted[near].T, y[near].T, strict=True)]
    )
    assert expected[0] < r < expected[1]
