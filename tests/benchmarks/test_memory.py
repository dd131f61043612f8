"""What `benchmarks.variants` copies for a fold knows nothing of the fold's responses."""

import numpy as np
import pytest

from benchmarks.memory import NEIGHBOURS, TEST, Memory, Rows, WordModel, own_residuals

N_STORIES, N_ROWS, N_FOLDS = 8, 40, 3


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    n_rows = {f"s{i}": N_ROWS for i in range(N_STORIES)}
    fold = np.repeat([0, 1, 2, 0, 1, 2, TEST, TEST], N_ROWS)
    rows = Rows(n_rows, fold)
    x, y = rng.standard_normal((2, len(fold), 5))
    states = rng.standard_normal((len(fold), 4))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    states[7] = 0
    return rows, x, y, states


def model(made, changed=None):
    rows, x, y, _ = made
    if changed is not None:
        y = np.where((rows.fold == changed)[:, None], y[::-1], y)
    return WordModel(rows, x, y, np.array([10.0]))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("f", [0, 2, None])
def test_a_memory_of_other_stories_has_neither_the_fold_left_out_nor_the_rows_own(
    made, f, residual
):
    rows, *_, states = made
    memory = Memory(rows, states, (2, 3))
    before = memory.copy(f, model(made), residual)
    assert np.abs(before).max() > 0
    for changed in range(N_FOLDS):
        after = memory.copy(f, model(made, changed), residual)
        untouched = np.ones(len(rows.fold), bool) if changed == f else rows.fold == changed
        np.testing.assert_array_equal(after[untouched], before[untouched])
        if changed != f:
            assert (after[rows.fold == TEST] != before[rows.fold == TEST]).any()


def test_a_memory_is_the_mean_of_what_followed_the_nearest_states(made):
    """Of one lag, by a loop over the rows of every other fold."""
    rows, _, y, states = made
    copied = Memory(rows, states, (2,)).copy(None, model(made), residual=False)
    row = 2 * N_ROWS + 20  # of fold 2; its state is that of two rows before
    later = np.concatenate([np.vstack([v[2:], np.zeros((2, 5))]) for v in rows.split(y).values()])
    total, weight = 0.0, 0.0
    for k in (0, 1):
        bank = np.flatnonzero((rows.fold == k) & states.any(axis=1))
        cosine = states[bank] @ states[row - 2]
        near = np.argsort(-cosine)[:NEIGHBOURS]
        w = np.exp((cosine[near] - 1) / 0.1)
        total, weight = total + w @ later[bank[near]], weight + w.sum()
    np.testing.assert_allclose(copied[row], total / weight, rtol=1e-4)


@pytest.mark.parametrize("f", [1, None])
def test_residuals_are_of_models_without_the_rows_own_fold(made, f):
    rows, *_ = made
    before = own_residuals(rows, model(made), f)
    for changed in range(N_FOLDS):
        new = model(made, changed)
        predicted = new.y - own_residuals(rows, new, f)
        untouched = np.ones(len(rows.fold), bool) if changed == f else rows.fold == changed
        expected = (made[2] - before)[untouched]
        np.testing.assert_allclose(predicted[untouched], expected, atol=1e-12)
