import h5py
import numpy as np
import pytest

from pipeline.bands.registry import BandOptions
from pipeline.config.models import lag_controls, nested_pairs
from pipeline.tables.gains import CLEAN, COLUMNS, gains
from tests.helpers.fits import write_fit
from tests.helpers.intervals import over_stories

MODELS = {
    "base": ["words"],
    "lag": ["words", "mlag"],
    "m": ["m", "mlag", "words"],
    "other": ["words", "x"],
}
TRAIN = ["a", "b", "c", "d"]
N = 110  # voxels, enough for a best tenth


@pytest.fixture
def fits(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for subject in ("S1", "S2"):
        for model, bands in MODELS.items():
            r, r_concat, r_cv, *r_train = rng.uniform(-0.1, 0.4, (7, N))
            path = tmp_path / f"{subject}{model}.h5"
            files[subject, model] = write_fit(
                path, r, r_cv, r_train, bands, TRAIN, r_concat=r_concat
            )
    return files


def read(path, key):
    with h5py.File(path) as file:
        return np.asarray(file[key][:], float)


def test_pairs_differ_in_one_band():
    assert nested_pairs(MODELS) == [
        ("lag", "base", "mlag"),
        ("m", "lag", "m"),
        ("other", "base", "x"),
    ]


def test_a_matcher_is_held_against_the_model_that_keeps_its_lag_control():
    models = {
        "drift": ["words", "drift"],
        "gimlag": ["words", "drift", "gimlag"],
        "gim": ["words", "drift", "gimlag", "gim"],
        "bare": ["words", "drift", "gim"],  # over drift, which has no control
        "both": ["words", "drift", "gimlag", "gim", "ngram"],  # gim's is a model of its own
        "noword": ["words", "drift", "gimlag", "ngram"],
        "random": ["words", "drift", "random"],
    }
    own = {"drift": {}, "gim": {"before": False}, "ngram": {"before": False}}
    own |= {"random": {"before": False}, "gimlag": {"of": "gim"}, "words": {}}
    kinds = {"words": "eng1000", "gimlag": "lag"}
    options = {b: BandOptions(kinds.get(b, b), own=o) for b, o in own.items()}
    assert lag_controls(models, options) == {"gim": "gimlag", "both": "noword"}
    own["gim"]["before"] = True  # a control itself
    assert lag_controls(models, options) == {}


def test_gain_is_the_paired_difference_over_stories(fits):
    table = gains(fits, MODELS, "base")
    assert list(table.columns) == COLUMNS
    assert len(table) == 3 * 3
    row = table[(table["subject"] == "S1") & (table["model"] == "m")].iloc[0]
    assert row["over"] == "lag"
    difference = read(fits["S1", "m"], "r_train") - read(fits["S1", "lag"], "r_train")
    best = np.argsort(read(fits["S1", "base"], "r_cv"))[-N // 10 :]
    for column, by_story in (
        ("gain", difference.mean(axis=1)),
        ("gain_top10", difference[:, best].mean(axis=1)),
    ):
        low, high, _ = over_stories(by_story)
        assert row[column] == pytest.approx(by_story.mean())
        assert row[f"{column}_lo"] == pytest.approx(low)
        assert row[f"{column}_hi"] == pytest.approx(high)
    test = read(fits["S1", "m"], "r") - read(fits["S1", "lag"], "r")
    assert row["gain_test"] == pytest.approx(test.mean())
    assert row["gain_test_top10"] == pytest.approx(test[best].mean())


def test_gains_without_known_stories_stand_beside_those_with(fits):
    """Nothing else changes; of two stories that are left there is no interval."""
    with_all = gains(fits, MODELS, "base")
    table = gains(fits, MODELS, "base", ["b", "no story of these"])
    assert list(table.columns) == [*COLUMNS, *CLEAN]
    assert table[COLUMNS].equals(with_all)
    row = table[(table["subject"] == "S1") & (table["model"] == "m")].iloc[0]
    difference = read(fits["S1", "m"], "r_train") - read(fits["S1", "lag"], "r_train")
    best = np.argsort(read(fits["S1", "base"], "r_cv"))[-N // 10 :]
    others = [TRAIN.index(story) for story in "acd"]
    for column, by_story in (
        ("gain", difference[others].mean(axis=1)),
        ("gain_top10", difference[others][:, best].mean(axis=1)),
    ):
        low, high, _ = over_stories(by_story)
        assert row[f"{column}_clean"] == pytest.approx(by_story.mean())
        assert row[f"{column}_clean_lo"] == pytest.approx(low)
        assert row[f"{column}_clean_hi"] == pytest.approx(high)
    few = gains(fits, MODELS, "base", ["a", "b"])
    assert few[["gain_clean_lo", "gain_clean_hi"]].isna().all(axis=None)
    assert few["gain_clean"].notna().all()
    assert gains(fits, MODELS, "base", TRAIN)[CLEAN].isna().all(axis=None)


def test_mean_over_subjects_averages_each_story_first(fits):
    table = gains(fits, MODELS, "base").set_index(["subject", "model"])
    by_story = np.mean(
        [
            (read(fits[s, "lag"], "r_train") - read(fits[s, "base"], "r_train")).mean(axis=1)
            for s in ("S1", "S2")
        ],
        axis=0,
    )
    low, high, _ = over_stories(by_story)
    row = table.loc[("mean", "lag")]
    assert (row["gain_lo"], row["gain_hi"]) == pytest.approx((low, high))
    subjects = [table.loc[(s, "lag"), "gain_test"] for s in ("S1", "S2")]
    assert row["gain_test"] == pytest.approx(np.mean(subjects))


def test_models_without_pairs_give_an_empty_table(fits):
    own = {k: v for k, v in fits.items() if k[1] == "base"}
    table = gains(own, {"base": ["words"]}, "base")
    assert list(table.columns) == COLUMNS
    assert table.empty
