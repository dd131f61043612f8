"""Confounds taken out of runs, against least squares, and volumes that do not count."""

import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.core.series import neutral, pearson
from pipeline.dataset.clean import Nuisance, cleaned, read_nuisance
from pipeline.dataset.grid import Grid
from pipeline.dataset.prepare import ready
from tests.helpers import fmriprep

RNG = np.random.default_rng(0)
N = 60
VALUES, CONFOUNDS = RNG.standard_normal((N, 3)) + 100, RNG.standard_normal((N, 2))
COUNTED = np.arange(N) % 7 != 3


def residual(values, regressors):
    """What least squares leaves, about the mean that was there."""
    about = values - values.mean(axis=0)
    regressors = regressors - regressors.mean(axis=0)
    return values - regressors @ np.linalg.lstsq(regressors, about, rcond=None)[0]


def test_confounds_are_regressed_out_of_the_rows_that_count():
    found = cleaned(VALUES, 2.0, nuisance=Nuisance(CONFOUNDS))
    np.testing.assert_allclose(found, residual(VALUES, CONFOUNDS), atol=1e-8)
    found = cleaned(VALUES, 2.0, nuisance=Nuisance(CONFOUNDS, COUNTED))
    expected = residual(VALUES[COUNTED], CONFOUNDS[COUNTED])
    np.testing.assert_allclose(found[COUNTED], expected, atol=1e-8)
    np.testing.assert_allclose(found[~COUNTED], np.tile(expected.mean(axis=0), (9, 1)), atol=1e-8)


def test_a_trend_is_taken_out():
    slope = np.linspace(0, 5, N)[:, None]
    found = cleaned(VALUES + slope, 2.0, detrend=True)
    time = np.arange(N)[:, None] - (N - 1) / 2
    np.testing.assert_allclose(found.T @ time, 0, atol=1e-6)


def test_rows_that_do_not_count_change_no_correlation():
    """Of cleaned and scaled responses, whatever was measured there."""
    grid = Grid(N, tr=2.0, sound_start=0, unused_volumes=0, trim=(4, 2))
    kept, found = COUNTED[4:-2], []
    predicted = RNG.standard_normal((N - 6, 3))
    for shock in (0, 1e4):
        values = VALUES + shock * ~COUNTED[:, None]
        rows = ready(values, grid, 0, {"zscore": True}, Nuisance(CONFOUNDS, COUNTED))
        np.testing.assert_allclose(rows[~kept], 0, atol=1e-12)
        np.testing.assert_allclose(rows[kept].std(axis=0), 1, rtol=1e-5)
        r = pearson(neutral(predicted, kept), rows)
        np.testing.assert_allclose(r, pearson(predicted[kept], rows[kept]), rtol=1e-6)
        found.append(rows)
    np.testing.assert_allclose(*found, atol=1e-5)


def test_more_confounds_than_volumes_leave_nothing():
    with pytest.raises(ProblemError, match="nothing of the responses is left"):
        cleaned(VALUES, 2.0, nuisance=Nuisance(RNG.standard_normal((N, N))))


def test_a_strategy_that_the_confounds_cannot_serve(tmp_path):
    fmriprep.write_tree(tmp_path, forms=["cifti"], moved=20)
    folder = tmp_path / "derivatives/fmriprep/sub-01/func"
    run = folder / f"sub-01_task-one_{fmriprep.FORMS['cifti']}"
    strategy = {"strategy": ["motion", "scrub"], "motion": "basic", "scrub": 0}
    found = read_nuisance(run, strategy, fmriprep.N_VOLUMES)
    assert found.confounds.shape == (fmriprep.N_VOLUMES, 6)
    np.testing.assert_array_equal(np.flatnonzero(~found.counted), [20])
    with pytest.raises(ProblemError, match=r"missing.*csf.*Remedy"):
        read_nuisance(run, {"strategy": ["wm_csf"]}, fmriprep.N_VOLUMES)
    with pytest.raises(ProblemError, match="have 64 rows, the run 70 volumes"):
        read_nuisance(run, strategy, 70)
    with pytest.raises(ProblemError, match="not beside the run"):
        read_nuisance(run, strategy, fmriprep.N_VOLUMES, tmp_path / "confounds.tsv")
