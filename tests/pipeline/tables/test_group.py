"""Tables over subjects, against SciPy on the numbers that the fits were made of."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.core.atomic import read_table, write_table
from pipeline.statistics.prevalence import Prevalence
from pipeline.tables.group import (
    COLUMNS,
    FEW_STORIES,
    SUBJECTS,
    TOO_FEW,
    group_table,
    subjects_table,
)
from tests.helpers.fits import write_fit
from tests.helpers.intervals import over_stories

TRAIN = ["a", "b", "c", "d"]
N_VOXELS = 9
COMPARISONS = [("words", None), ("more", "words")]
REGIONS = np.array(["A"] * 4 + ["B"] * 3 + [""] * 2)
OPTIONS = {"alpha": 0.05, "permutations": 1000, "seed": 0}


def made(folder, n_subjects, train=TRAIN):
    """Fits of two models, the second better in region A; nobody's last voxel varies."""
    rng = np.random.default_rng(n_subjects)
    fits, r = {}, {}
    for i in range(n_subjects):
        for model in ("words", "more"):
            r_train = 0.1 + 0.02 * rng.standard_normal((len(train), N_VOXELS))
            r_train[:, :4] += 0.05 * (model == "more") * (i != 2)
            r_train[:, -1] = np.nan
            key, r_cv = (f"S{i}", model), r_train.mean(axis=0)
            path = folder / f"{i}{model}.h5"
            fits[key] = write_fit(path, r_cv, r_cv, r_train, ["w"], train)
            r[key] = r_train.astype(np.float32)
    return fits, r


@pytest.fixture
def seven(tmp_path):
    return made(tmp_path, 7)


def tables(fits, labels, **options):
    table = subjects_table(fits, labels, COMPARISONS)
    return table, group_table(table, **OPTIONS | options)


def row_of(table, model, region):
    (row,) = table[(table["model"] == model) & (table["region"] == region)].to_dict("records")
    return row


def test_every_comparison_and_unit_has_a_row_of_its_own(seven, tmp_path):
    fits, r = seven
    labels = {f"S{i}": {"areas": REGIONS} for i in range(7)}
    labels["S1"] = {"areas": np.where(REGIONS == "B", "", REGIONS)}
    table, group = tables(fits, labels)
    assert list(table.columns) == SUBJECTS
    assert list(group.columns) == COLUMNS
    assert group[["model", "region"]].to_numpy().tolist() == [
        [model, region] for model in ("words", "more") for region in ("all", "A", "B")
    ]
    assert group["n_subjects"].tolist() == [7, 7, 6] * 2
    for model, region, voxels in (("more", "all", slice(0, 8)), ("more", "B", slice(4, 7))):
        difference = {s: r[s, "more"] - r[s, "words"] for s in labels}
        own = {
            s: d[:, voxels].mean(axis=1)
            for s, d in difference.items()
            if region != "B" or s != "S1"
        }
        means = np.array([by_story.mean() for by_story in own.values()])
        row = row_of(group, model, region)
        expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
        assert row["mean"] == pytest.approx(means.mean(), rel=1e-4)
        assert row["subj_lo"] == pytest.approx(expected.low, rel=1e-3)
        assert row["subj_hi"] == pytest.approx(expected.high, rel=1e-3)
        p = np.array([over_stories(by_story)[2] for by_story in own.values()])
        found = table[(table["model"] == model) & (table["region"] == region)]
        np.testing.assert_allclose(found["p"], p, rtol=1e-2)
        k = int((p < 0.05).sum())
        posterior = Prevalence(k, len(p), 0.05)
        assert (row["n_positive"], row["n_tested"]) == (k, len(p))
        assert row["prevalence"] == pytest.approx(posterior.map)
        ends = row["prevalence_lo"], row["prevalence_hi"]
        assert ends == pytest.approx(posterior.interval())
        exact = stats.permutation_test(
            (means,), lambda x, axis=-1: np.abs(x.mean(axis=axis)), permutation_type="samples",
            alternative="greater", vectorized=True,
        ).pvalue  # fmt: skip
        assert row["p"] == pytest.approx(exact)
    write_table(group, tmp_path / "group.tsv")
    again = read_table(tmp_path / "group.tsv")
    assert again["baseline"].isna().tolist() == [True] * 3 + [False] * 3
    assert again["note"].isna().all()


def test_the_family_is_the_regions_of_a_parcellation(seven):
    fits, _ = seven
    one = {f"S{i}": {"areas": REGIONS} for i in range(7)}
    two = {s: own | {"halves": np.where(REGIONS == "A", "A", "")} for s, own in one.items()}
    few, more = (tables(fits, labels)[1] for labels in (one, two))
    areas = more[more["parcellation"] == "areas"].reset_index(drop=True)
    expected = few[few["parcellation"] == "areas"].reset_index(drop=True)
    pd.testing.assert_frame_equal(areas, expected)
    alone = more[more["parcellation"] == "halves"]
    np.testing.assert_array_equal(alone["p"], alone["p_fwer"])
    assert (areas["p_fwer"] >= areas["p"]).all()


def test_of_five_subjects_there_is_an_interval_but_no_flip(tmp_path):
    fits, _ = made(tmp_path, 5)
    _, group = tables(fits, {f"S{i}": {} for i in range(5)})
    assert group[["p", "p_fwer"]].isna().all(axis=None)
    assert group["note"].tolist() == [TOO_FEW] * 2
    assert (group["n_flips"] == 0).all()
    assert np.isfinite(group[["subj_lo", "prevalence_lo"]]).all(axis=None)


@pytest.mark.parametrize("options", [{"alpha": 0.02}, {"permutations": 18}])
def test_where_no_p_can_be_below_alpha_the_note_says_so(tmp_path, options):
    """2 / 2^6 is 0.03, 1 / 19 is 0.053."""
    fits, _ = made(tmp_path, 6)
    _, group = tables(fits, {f"S{i}": {} for i in range(6)}, **options)
    assert group["note"].str.startswith("no sign-flip p can be below").all()
    assert (group["p"] >= group["alpha"]).all()
    _, group = tables(fits, {f"S{i}": {} for i in range(6)})
    assert group["note"].isna().all()


@pytest.mark.parametrize("train", [["a"], ["a", "b"]])
def test_of_two_stories_there_is_no_test_within_subjects(tmp_path, train):
    """Each is predicted by what was learned on the other: without an effect they have one r."""
    fits, _ = made(tmp_path, 6, train=train)
    _, group = tables(fits, {f"S{i}": {} for i in range(6)})
    assert (group["n_tested"] == 0).all()
    assert group[["prevalence", "prevalence_lo", "majority"]].isna().all(axis=None)
    assert group["note"].tolist() == [FEW_STORIES] * 2
    assert np.isfinite(group["p"]).all()


def test_subjects_who_share_no_region_give_rows_of_one(tmp_path):
    fits, _ = made(tmp_path, 2)
    _, group = tables(
        fits, {"S0": {"areas": REGIONS}, "S1": {"areas": np.where(REGIONS == "A", "C", "")}}
    )
    row = row_of(group, "words", "C")
    assert row["n_subjects"] == 1
    assert np.isfinite(row["mean"])
    assert np.isnan([row["subj_lo"], row["sd"], row["p"]]).all()
