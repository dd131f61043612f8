"""What predicts which region of the simulated subject, and on the null subject nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from pipeline.matching.matches import Matches
from tests.helpers.simulated import N_COMPONENTS


def test_regions_c_and_d_have_their_autocorrelation(data):
    lag1 = [np.mean(y[1:] * y[:-1], axis=0) for y in data.bold.values()]
    of = dict(zip("CD", ([a[data.region == r].mean() for a in lag1] for r in "CD"), strict=True))
    # half of C's variance is AR(1); the finite, z-scored story biases it down
    assert np.mean(of["C"]) == pytest.approx(0.85 * 0.5, abs=0.08)
    assert abs(np.mean(of["D"])) < 0.03


def lag_shuffled(matches, rng):
    """Matches as far back as those of other rows."""
    lags = np.concatenate([(m.row - m.match_row)[m.match_row >= 0] for m in matches.values()])
    shuffled = {}
    for s, m in matches.items():
        match = m.match_row.copy()
        for row in np.flatnonzero(match >= 0):
            other = lags[(lags <= row) & (abs(lags - (row - match[row])) > 3)]
            match[row] = row - rng.choice(other) if len(other) else -1
        shuffled[s] = Matches.hard(match, np.ones(len(match)))
    return shuffled


@pytest.fixture(scope="module")
def gains(data, null_data):
    """What the oracle's features add to Eng1000, and what lag-shuffled ones do, by region."""
    found = {}
    for name, subject in (("real", data), ("null", null_data)):
        matches, meaning = subject.oracle(), subject.meaning
        shuffled = lag_shuffled(matches, np.random.default_rng(0))
        found[name] = {
            "meaning": subject.test_r(meaning),
            "oracle": subject.test_r(meaning, subject.changes(matches)),
            "control": subject.test_r(meaning, subject.changes(shuffled)),
        }
    return found


def test_the_oracle_predicts_region_b_only(gains):
    real = gains["real"]
    gain = {region: real["oracle"][region] - real["control"][region] for region in "ABCD"}
    assert gain["B"] > 0.2
    assert all(abs(gain[region]) < 0.05 for region in "ACD")


def test_word_meaning_predicts_region_a_only(gains):
    r = gains["real"]["meaning"]
    assert r["A"] > 0.5
    assert all(abs(r[region]) < 0.1 for region in "BCD")


def test_the_null_subject_shows_no_gain(gains):
    null = gains["null"]
    assert null["meaning"]["A"] > 0.5
    assert all(abs(null["oracle"][r] - null["control"][r]) < 0.06 for r in "ABCD")


def test_attainable_r_is_above_what_the_oracle_reaches(data, null_data, gains):
    attainable, null = (
        pd.read_csv(d.root / "truth" / "oracle.tsv", sep="\t").set_index("story").attainable_r
        for d in (data, null_data)
    )
    assert gains["real"]["oracle"]["B"] < attainable[["test01", "test02"]].mean() < 0.95
    assert attainable["test01"] > attainable["test02"]  # the average of repeats has less noise
    assert (null == 0).all()


def test_region_b_lies_in_the_leading_components(data):
    y = np.concatenate([data.bold[s] for s in data.train])
    axes = PCA(N_COMPONENTS, random_state=0).fit(y).components_
    signal_b = np.linalg.svd(y[:, data.region == "B"], full_matrices=False)[2][:6]
    captured = (signal_b @ axes[:, data.region == "B"].T) ** 2
    assert captured.sum(axis=1).min() > 0.8
