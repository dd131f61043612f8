"""Tables and charts by region."""

import h5py
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from pipeline.regions.chart import write_chart
from pipeline.regions.summary import COLUMNS, summarise_regions
from pipeline.tables.gains import gains as all_gains
from tests.helpers.fits import write_fit
from tests.helpers.intervals import over_stories

OVER = {"ngram": "ngramlag"}  # the model that lacks just the matches


@pytest.fixture
def fits(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for subject, n in (("S1", 30), ("S2", 20)):
        for model in ("eng1000", "ngramlag", "ngram"):
            r, r_train = rng.uniform(-0.1, 0.4, n), rng.uniform(-0.1, 0.4, (4, n))
            r[3], r_train[:, 3] = np.nan, np.nan
            path = tmp_path / f"{subject}{model}.h5"
            files[subject, model] = write_fit(
                path, r, r_train.mean(axis=0), r_train, ["eng1000"], list("abcd")
            )
    return files


@pytest.fixture
def labels():
    return {
        "S1": {"lobes": np.array(["a"] * 10 + ["b"] * 12 + [""] * 8), "one": np.array(["x"] * 30)},
        "S2": {"lobes": np.array(["a"] * 10 + ["c"] * 10), "one": np.array(["x"] * 20)},
    }


def gains(fits, subject, voxels, model="ngram", over="eng1000"):
    """Mean gain over voxels of each story, by a loop."""
    values = {}
    for name in (model, over):
        with h5py.File(fits[subject, name]) as file:
            values[name] = np.asarray(file["r_train"][:], float)
    difference = values[model] - values[over]
    return np.array([np.mean([d[v] for v in voxels if np.isfinite(d[v])]) for d in difference])


def by_key(fits, labels, over=OVER):
    table = summarise_regions(fits, labels, baseline="eng1000", over=over)
    assert list(table.columns) == COLUMNS
    return table.set_index(["subject", "model", "parcellation", "region"])


def check(row, column, by_story, interval=None):
    """A number is the mean over stories, with its t interval."""
    low, high, _ = over_stories(by_story)
    interval = interval or column
    assert row[column] == pytest.approx(by_story.mean())
    assert (row[f"{interval}_lo"], row[f"{interval}_hi"]) == pytest.approx((low, high))


def test_gains_and_selectivity_by_region(fits, labels):
    """Of a model with a lag control, selectivity is that of the gain over it."""
    rows = by_key(fits, labels)
    row = rows.loc["S1", "ngram", "lobes", "a"]
    assert row["n_voxels"] == 9
    assert row["over"] == "ngramlag"
    check(row, "delta_eng1000", gains(fits, "S1", range(10)), "delta")
    inside = gains(fits, "S1", range(10), over="ngramlag")
    check(row, "gain", inside)
    check(row, "selectivity", inside - gains(fits, "S1", range(10, 22), over="ngramlag"))
    assert np.isnan(rows.loc["S1", "ngram", "one", "x"]["selectivity"])  # no other region


def test_models_without_a_lag_control_gain_over_the_baseline_alone(fits, labels):
    rows = by_key(fits, labels)
    row = rows.loc["S1", "ngramlag", "lobes", "a"]
    assert row[["over", "gain", "gain_lo", "gain_hi"]].isna().all()
    inside = gains(fits, "S1", range(10), "ngramlag")
    check(row, "delta_eng1000", inside, "delta")
    check(row, "selectivity", inside - gains(fits, "S1", range(10, 22), "ngramlag"))
    base = rows.loc["S1", "eng1000", "lobes", "a"]
    assert base["delta_eng1000"] == base["selectivity"] == 0
    assert by_key(fits, labels, {})[["over", "gain"]].isna().all(axis=None)


def test_mean_rows_average_stories_over_the_subjects_that_have_the_region(fits, labels):
    rows = by_key(fits, labels)
    row = rows.loc["mean", "ngram", "lobes", "a"]
    assert row["n_voxels"] == 18
    assert row["over"] == "ngramlag"
    for column, over, interval in (
        ("delta_eng1000", "eng1000", "delta"),
        ("gain", "ngramlag", "gain"),
    ):
        own = [gains(fits, subject, range(10), over=over) for subject in ("S1", "S2")]
        check(row, column, (own[0] + own[1]) / 2, interval)
    only = rows.loc["mean", "ngram", "lobes", "c"]
    assert only["gain_hi"] == pytest.approx(rows.loc["S2", "ngram", "lobes", "c"]["gain_hi"])


def test_a_region_of_all_voxels_has_the_gain_of_the_table_of_gains(fits, labels):
    models = {"eng1000": ["eng1000"], "ngramlag": ["eng1000", "l"], "ngram": ["eng1000", "l", "m"]}
    table = all_gains(fits, models, "eng1000").set_index(["subject", "model", "over"])
    for subject in ("S1", "S2", "mean"):
        row = by_key(fits, labels).loc[subject, "ngram", "one", "x"]
        wanted = table.loc[subject, "ngram", "ngramlag"]
        for column in ("gain", "gain_lo", "gain_hi"):
            assert row[column] == pytest.approx(wanted[column])


def test_one_region_of_all_voxels_has_the_mean_of_the_fit(fits, labels):
    row = by_key(fits, labels).loc["S1", "ngram", "one", "x"]
    with h5py.File(fits["S1", "ngram"]) as file:
        assert row["r_mean"] == pytest.approx(np.nanmean(file["r"][:], dtype=float))


def blue(picture):
    """Whether anything is drawn in the colour of gains clear of 0."""
    return (np.abs(picture[..., :3] - [0, 0x72 / 255, 0xB2 / 255]).sum(axis=2) < 0.05).any()


def test_chart_has_a_panel_for_each_model(fits, labels, tmp_path):
    table = by_key(fits, labels, {}).reset_index().query("parcellation == 'lobes'")
    write_chart(table, tmp_path / "one.png", models=["eng1000", "ngram"], baseline="eng1000")
    one = imread(tmp_path / "one.png")
    assert one[..., :3].std() > 0.05
    clear = table.query("subject == 'mean' and model == 'ngram'")
    clear = (clear["delta_lo"] > 0) | (clear["delta_hi"] < 0)
    assert blue(one) == clear.any()
    twice = pd.concat([table, table[table["model"] == "ngram"].assign(model="gim")])
    write_chart(twice, tmp_path / "two.png", models=["ngram", "gim"], baseline="eng1000")
    assert imread(tmp_path / "two.png").shape[1] > one.shape[1]


def test_chart_shows_the_gain_over_the_lag_control(fits, labels, tmp_path):
    """Whatever the gain over the baseline is; the control itself has no panel."""
    table = by_key(fits, labels).reset_index().query("parcellation == 'lobes'")
    gain, delta = ["gain", "gain_lo", "gain_hi"], ["delta_eng1000", "delta_lo", "delta_hi"]
    table[gain], table[delta] = [0.0, -0.1, 0.1], [0.2, 0.1, 0.3]
    write_chart(table, tmp_path / "null.png", models=["ngramlag", "ngram"], baseline="eng1000")
    assert not blue(imread(tmp_path / "null.png"))
    table[gain], table[delta] = table[delta], table[gain]
    write_chart(table, tmp_path / "clear.png", models=["ngramlag", "ngram"], baseline="eng1000")
    assert blue(imread(tmp_path / "clear.png"))


def test_a_chart_of_many_models_has_fewer_regions(tmp_path):
    """So that it does not grow beyond what a page can show."""
    names = [f"area {i}" for i in range(45)]
    each = pd.DataFrame({"subject": "mean", "parcellation": "fine", "region": names, "over": None})
    each = each.assign(delta_eng1000=np.arange(45), delta_lo=0, delta_hi=50)
    each = each.assign(gain=np.nan, gain_lo=np.nan, gain_hi=np.nan)
    heights = {}
    for n in (5, 15):
        models = [f"m{i}" for i in range(n)]
        table = pd.concat([each.assign(model=model) for model in models])
        write_chart(table, tmp_path / "chart.png", models=models, baseline="eng1000")
        heights[n] = imread(tmp_path / "chart.png").shape[0]
    assert heights[15] < 2.5 * heights[5]
