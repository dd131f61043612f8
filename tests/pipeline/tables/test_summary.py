import h5py
import numpy as np
import pytest
from scipy import stats

from pipeline.core.atomic import write_table
from pipeline.tables.summary import COLUMNS, SUBJECTS, summarise
from tests.helpers.fits import write_fit
from tests.helpers.intervals import over_stories

TRAIN = ["a", "b", "c", "d"]


N = 110  # enough for a best tenth


def made(folder, n):
    """Fits of two subjects and models, of so many voxels."""
    rng = np.random.default_rng(0)
    files = {}
    for subject in ("S1", "S2"):
        for model in ("eng1000", "ngram"):
            r = rng.uniform(-0.1, 0.4, n)
            r_train = rng.uniform(-0.1, 0.4, (4, n))
            files[subject, model] = write_fit(
                folder / f"{subject}{model}.h5",
                r,
                r_train.mean(axis=0),
                r_train,
                ["eng1000"],
                TRAIN,
            )
    return files


@pytest.fixture
def fits(tmp_path):
    return made(tmp_path, N)


def read(path):
    with h5py.File(path) as file:
        return {k: np.asarray(file[k][:], float) for k in ("r", "r_cv", "r_train")}


def test_rows_and_columns(fits):
    table = summarise(fits, "eng1000", 2)
    assert list(table.columns) == COLUMNS + SUBJECTS
    assert table["subject"].tolist() == ["S1", "S1", "S2", "S2", "mean", "mean"]
    assert table["model"].tolist() == ["eng1000", "ngram"] * 3
    s1, s2, mean = (
        table[(table["subject"] == s) & (table["model"] == "ngram")].iloc[0]
        for s in ("S1", "S2", "mean")
    )
    assert mean["r_mean"] == pytest.approx((s1["r_mean"] + s2["r_mean"]) / 2)
    assert mean["delta_eng1000"] == pytest.approx((s1["delta_eng1000"] + s2["delta_eng1000"]) / 2)


def test_intervals_over_subjects_stand_beside_those_over_stories(tmp_path):
    """Of several subjects, in the rows of the means, the baseline's r among them."""
    rng, files = np.random.default_rng(2), {}
    for i in range(5):
        for model in ("eng1000", "m"):
            r, r_train = rng.uniform(0, 0.3, 20), rng.uniform(0, 0.3, (4, 20))
            path = tmp_path / f"{i}{model}.h5"
            files[f"S{i}", model] = write_fit(path, r, r_train.mean(axis=0), r_train, ["b"], TRAIN)
    table = summarise(files, "eng1000", 2)
    each, mean = table[table["subject"] != "mean"], table[table["subject"] == "mean"]
    assert each[SUBJECTS].isna().all(axis=None)
    for _, row in mean.iterrows():
        own = each[each["model"] == row["model"]]
        for column, ends in (("delta_eng1000", SUBJECTS[:2]), ("r_mean", SUBJECTS[2:])):
            expected = stats.ttest_1samp(own[column], 0).confidence_interval(0.95)
            assert row[ends].tolist() == pytest.approx([expected.low, expected.high])
    alone = {key: path for key, path in files.items() if key[0] == "S0"}
    assert list(summarise(alone, "eng1000", 2).columns) == COLUMNS
    one = mean[mean["model"] == "eng1000"].iloc[0]
    assert one["r_subj_lo"] < one["r_mean"] < one["r_subj_hi"]
    assert one["subj_lo"] == one["subj_hi"] == 0


def test_top_ten_percent_by_test_and_by_cross_validation(fits):
    table = summarise(fits, "eng1000", 2)
    scores = read(fits["S1", "ngram"])
    row = table[(table["subject"] == "S1") & (table["model"] == "ngram")].iloc[0]
    assert row["r_top10_test"] == pytest.approx(np.sort(scores["r"])[-N // 10 :].mean())
    best = np.argsort(scores["r_cv"])[-N // 10 :]
    assert row["r_top10_cv"] == pytest.approx(scores["r"][best].mean())
    assert row["r_top10_test"] > row["r_top10_cv"]  # choosing by the test flatters


def test_differences_are_paired_by_story_in_the_baselines_voxels(fits):
    table = summarise(fits, "eng1000", 2)
    base, own = read(fits["S1", "eng1000"]), read(fits["S1", "ngram"])
    voxels = np.argsort(base["r_cv"])[-N // 10 :]
    by_story = (own["r_train"] - base["r_train"])[:, voxels].mean(axis=1)
    low, high, _ = over_stories(by_story)
    row = table[(table["subject"] == "S1") & (table["model"] == "ngram")].iloc[0]
    assert row["delta_eng1000"] == pytest.approx(by_story.mean())
    assert row["delta_lo"] == pytest.approx(low)
    assert row["delta_hi"] == pytest.approx(high)


def test_constant_voxels_are_left_out_and_counted(tmp_path):
    r = np.array([0.2, np.nan, 0.4] + [0.0] * (N - 2))
    path = write_fit(tmp_path / "f.h5", r, r, np.tile(r, (4, 1)), ["eng1000"], TRAIN)
    row = summarise({("S1", "eng1000"): path}, "eng1000", 2).iloc[0]
    assert row["n_voxels"] == N
    assert row["r_mean"] == pytest.approx(0.6 / N)
    assert row["r_top10_test"] == pytest.approx(0.6 / (N / 10))


@pytest.mark.parametrize(("n", "has_top"), [(99, False), (100, True)])
def test_of_few_voxels_there_is_no_best_tenth_and_differences_are_of_all(tmp_path, n, has_top):
    fits = made(tmp_path, n)
    table = summarise(fits, "eng1000", 2)
    assert (table[["r_top10_test", "r_top10_cv"]].notna() == has_top).all(axis=None)
    row = table[(table["subject"] == "S1") & (table["model"] == "ngram")].iloc[0]
    base, own = read(fits["S1", "eng1000"]), read(fits["S1", "ngram"])
    everywhere = (own["r_train"] - base["r_train"]).mean()
    assert (row["delta_eng1000"] == pytest.approx(everywhere)) == (not has_top)
    assert row["delta_lo"] < row["delta_eng1000"] < row["delta_hi"]


def test_subjects_with_other_stories_are_averaged_by_story(tmp_path):
    def fit(name, value, train):
        r_train = np.array(value)[:, None] * np.ones((1, 10))
        return write_fit(tmp_path / name, np.zeros(10), np.zeros(10), r_train, ["eng1000"], train)

    files = {
        ("S1", "eng1000"): fit("a", [0, 0, 0], ["a", "b", "c"]),
        ("S2", "eng1000"): fit("b", [0, 0], ["a", "b"]),
        ("S1", "m"): fit("c", [0.1, 0.2, 0.3], ["a", "b", "c"]),
        ("S2", "m"): fit("d", [0.3, 0.2], ["a", "b"]),
    }
    mean = summarise(files, "eng1000", 2).iloc[-1]
    assert mean["delta_eng1000"] == pytest.approx(np.mean([0.2, 0.2, 0.3]))


def test_written_with_six_decimals(tmp_path, fits):
    write_table(summarise(fits, "eng1000", 2), tmp_path / "s.tsv")
    lines = (tmp_path / "s.tsv").read_text().splitlines()
    assert lines[0].split("\t") == COLUMNS + SUBJECTS
    assert len(lines) == 7
    assert all(len(v.split(".")[1]) == 6 for v in lines[1].split("\t")[5:12])
