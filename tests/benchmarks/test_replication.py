"""The published steps are what they are said to be, and pseudo-voxels as noisy as they should."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import published
from benchmarks.pseudo_voxels import PseudoVoxels
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story, lanczos_weights


@pytest.fixture(scope="module")
def story():
    rng = np.random.default_rng(0)
    onset = np.sort(rng.uniform(0, 70, 150))
    words = pd.DataFrame({"word": "x", "onset": onset, "offset": onset + 0.2})
    return Story("s", words, Grid(50))


def test_matches_are_filtered_rows_of_similarities(story):
    states = np.random.default_rng(1).standard_normal((150, 6))
    found = published.matched_volumes(story, states)
    volume = published.volumes_of(story)
    times = story.grid.volume_starts() + 1
    weights = lanczos_weights(story.words["onset"].to_numpy() + 0.1, times, 2.0)
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    best = []
    for t in range(story.grid.n_volumes):
        row = np.zeros(150)
        for w in range(150):
            old = volume < volume[w] - published.BACK
            row += weights[t, w] * np.where(old, unit @ unit[w], 0)
        best.append((row.max(), volume[row.argmax()]))
    value, match = np.array(best).T
    kept = value >= np.quantile(value, 0.2)
    np.testing.assert_array_equal(found, np.where(kept, match, published.DROPPED))
    # What the first correction takes away: words ahead vote, and what has no match has one.
    assert (found >= np.arange(len(found)) - published.BACK).any()


def test_copied_changes_lie_on_the_grid_with_the_trimmed_volumes():
    grid, rng = Grid(40), np.random.default_rng(2)
    scores = rng.standard_normal((grid.n_rows, 2))
    match = np.full(grid.n_volumes, published.DROPPED)
    match[12], match[14] = 11, 8  # rows 1 and -2
    found = published.copied(scores, grid, match)
    assert found.shape == (grid.n_rows, 6)
    np.testing.assert_allclose(
        found[2], np.concatenate([scores[1 + j] - scores[1] for j in (1, 2, 3)])
    )
    np.testing.assert_allclose(found[4], np.concatenate([[0, 0], scores[0], scores[1]]))
    assert not found[[0, 1, 3]].any()


def test_the_ridge_is_a_ridge_and_takes_the_edge_where_more_is_wanted():
    """One voxel that is all signal, and forty that are noise."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((600, 30)).astype(np.float32)
    y = rng.standard_normal((600, 41)).astype(np.float32)
    y[:, 0] += 5 * x[:, 0]
    wide = np.append(published.ALPHAS, [1e4, 1e5])
    narrow, free = published.bootstrap_ridge(x, y, (published.ALPHAS, wide), 3, 0)
    assert narrow.alpha[0] == free.alpha[0] < published.ALPHAS[-1]
    assert np.median(narrow.alpha) == published.ALPHAS[-1] < np.median(free.alpha)
    for fit in (narrow, free):
        for v, alpha in list(enumerate(fit.alpha))[:5]:
            expected = np.linalg.solve(x.T @ x + alpha * np.eye(30), x.T @ y[:, v])
            np.testing.assert_allclose(fit.weights[:, v], expected, atol=1e-3)


def test_pseudo_voxels_are_as_noisy_as_wanted():
    rng = np.random.default_rng(4)
    components = [rng.standard_normal((300, 8)) for _ in range(3)]
    voxels = PseudoVoxels.make(components, 20, seed=0)
    np.testing.assert_allclose(np.linalg.norm(voxels.weights, axis=0), 1)
    signal = components[0] @ voxels.weights

    def r(tried):
        bold = tried.bold(components[0], "s")
        return float(
            np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(signal.T, bold.T, strict=True)])
        )

    found = voxels.calibrated(r, 0.4)
    assert r(found) == pytest.approx(0.4, abs=0.02)
    assert voxels.calibrated(lambda _: 0.01, 0.4).noise == 0
    mean = found.bold(components[0], "s", 5)
    assert np.mean(mean * (signal / signal.std(axis=0))) > 0.6  # averaging leaves less of it
    np.testing.assert_array_equal(found.bold(components[0], "s"), found.bold(components[0], "s", 1))
    assert (found.bold(components[0], "t") != found.bold(components[0], "s")).all()
