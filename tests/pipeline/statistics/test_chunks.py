"""Shuffled chunks reward what knows no language; whole stories do not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from pipeline.core.series import pearson
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.design import Band, Design
from pipeline.fit.options import Alphas, FitOptions, training_folds
from pipeline.fit.regression import Regression
from pipeline.statistics.chunks import r_of_shuffled_chunks, shuffled_folds
from tests.helpers.responses import rewrite, write_responses

ROWS = {"a": 90, "b": 105, "c": 100, "d": 95}
OPTIONS = FitOptions(
    solver="gram", n_folds=4, n_scalings=1, refinements=0, alphas=Alphas(-2, 4, 7),
    reference_voxels=8, device="cpu", memory_gb=1, voxels_per_block=None, fold_seed=0,
    search_seed=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def smooth(tmp_path_factory):
    """Slow responses, and a band that says which moment of which story it is, nothing else."""
    dataset = write_responses(tmp_path_factory.mktemp("chunks"), ROWS, n_voxels=8)
    rng = np.random.default_rng(1)
    values = {}
    for story, n in ROWS.items():
        bold = gaussian_filter1d(rng.standard_normal((n, 8)), 4, axis=0)
        rewrite(dataset, "S1", story, bold / bold.std(axis=0))
        moments = gaussian_filter1d(rng.standard_normal((n, 60)), 4, axis=0)
        values[story] = (moments / moments.std() / np.sqrt(60)).astype(np.float32)
    return dataset, Design((Band("moment", values, (0,), (1.0,)),))


def test_shuffled_chunks_find_what_whole_stories_do_not(smooth):
    dataset, design = smooth
    shuffled = r_of_shuffled_chunks(
        dataset, "S1", design=design, train=list(ROWS), options=OPTIONS, voxels=slice(None)
    )
    responses = {story: dataset.read_responses("S1", story) for story in ROWS}
    folds = training_folds(list(ROWS), ROWS, 4, 0)
    regression = Regression(design, responses, folds, OPTIONS.alphas.values())
    whole = fit_block(regression, make_solver("gram", regression)).r_train
    assert shuffled.shape == whole.shape == (4, 8)
    assert shuffled.mean() > 0.25
    assert abs(whole.mean()) < 0.15


def test_one_chunk_a_story_is_a_fold_of_whole_stories(smooth, monkeypatch):
    """Then nothing is cut, and r is that of folds of single stories."""
    dataset, design = smooth
    own = {story: [(slice(0, n), k)] for k, (story, n) in enumerate(ROWS.items())}
    monkeypatch.setattr("pipeline.statistics.chunks.shuffled_folds", lambda *_: own)
    r = r_of_shuffled_chunks(
        dataset, "S1", design=design, train=list(ROWS), options=OPTIONS, voxels=slice(0, 8, 2)
    )
    responses = {story: dataset.read_responses("S1", story, slice(0, 8, 2)) for story in ROWS}
    folds = {story: k for k, story in enumerate(ROWS)}
    regression = Regression(design, responses, folds, OPTIONS.alphas.values())
    solver = make_solver("gram", regression)
    for i, (story, fold) in enumerate(folds.items()):
        predicted = solver.fit(exclude=fold).predict(design.rows(story))
        np.testing.assert_allclose(r[i], pearson(predicted, responses[story]), atol=1e-5)


def test_chunks_cover_every_row_once_and_folds_are_equally_full():
    chunks = shuffled_folds(ROWS, 4, 3)
    for story, n in ROWS.items():
        rows = np.concatenate([np.arange(n)[chunk] for chunk, _ in chunks[story]])
        np.testing.assert_array_equal(rows, np.arange(n))
    folds = np.bincount([fold for own in chunks.values() for _, fold in own])
    assert folds.max() - folds.min() <= 1
    assert chunks == shuffled_folds(ROWS, 4, 3) != shuffled_folds(ROWS, 4, 4)


def test_himalaya_is_replaced(smooth):
    dataset, design = smooth
    options = replace(OPTIONS, solver="himalaya")
    r = r_of_shuffled_chunks(
        dataset, "S1", design=design, train=list(ROWS), options=options, voxels=slice(0, 1)
    )
    assert r.shape == (4, 1)
