"""Significance, ceilings and partitions of the tiny run: one set of numbers in all files."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.bands.registry import band_options
from pipeline.config.load import load
from pipeline.core.series import pearson
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import load_band
from pipeline.statistics.ceiling_file import CeilingFile
from pipeline.statistics.match_permutation import Matcher
from pipeline.statistics.stats_file import StatsFile

pytestmark = pytest.mark.workflow
SUBJECT = "sub-SIM01"
BANDS = {"eng1000": [], "random": ["random"], "ngram": ["ngram"], "ngramlag": []}


@pytest.fixture
def folder(tiny):
    return tiny.results("tiny") / SUBJECT


def table(tiny, name):
    return pd.read_csv(tiny.results("tiny") / f"{name}.tsv", sep="\t", keep_default_na=False)


def test_every_model_has_its_tests(folder):
    for model, bands in BANDS.items():
        tests = StatsFile(folder / f"{SUBJECT}_desc-{model}_stats.h5").tests()
        against = [] if model == "eng1000" else ["eng1000"]
        against += ["ngramlag"] if model == "ngram" else []
        expected = ["r", *(f"contrast/{m}" for m in against), *(f"matches/{b}" for b in bands)]
        assert list(tests) == expected
    assert StatsFile(folder / "nothing.h5").test() is None
    assert StatsFile(folder / f"{SUBJECT}_desc-eng1000_stats.h5").test("contrast/ngram") is None


def test_the_table_counts_the_voxels_of_the_files(tiny, folder):
    rows = table(tiny, "significance").set_index(["model", "test", "against"])
    for model in BANDS:
        tests = StatsFile(folder / f"{SUBJECT}_desc-{model}_stats.h5").tests()
        for name, test in tests.items():
            kind, _, against = name.partition("/")
            row = rows.loc[(model, kind, against or "n/a")]
            known = ~np.isnan(test.p)
            assert row["n_voxels"] == known.sum()
            if kind == "contrast":  # 15 swaps of 5 blocks: no p is below 0.0625
                assert row["n_fdr"] == row["fraction_fdr"] == row["n_fwer"] == "n/a"
            else:
                assert int(row["n_fdr"]) == (test.q < 0.05).sum()
                assert int(row["n_fwer"]) == (test.p_fwer < 0.05).sum()
            assert float(row["p_mean"]) == pytest.approx(test.attributes["p_mean"], abs=1e-6)
            assert test.p[known].min() >= test.attributes["p_floor"] * (1 - 1e-6)
            assert (test.q[known] >= test.p[known] * (1 - 1e-6)).all()
    assert len(rows) == sum(
        len(StatsFile(folder / f"{SUBJECT}_desc-{model}_stats.h5").tests()) for model in BANDS
    )


def test_contrasts_are_differences_of_r(folder):
    r = {}
    for model in ("ngram", "ngramlag"):
        with h5py.File(folder / f"{SUBJECT}_desc-{model}_fit.h5") as file:
            r[model] = file["r"][:]
    test = StatsFile(folder / f"{SUBJECT}_desc-ngram_stats.h5").test("contrast/ngramlag")
    np.testing.assert_allclose(test.delta, r["ngram"] - r["ngramlag"], atol=1e-6)


def test_kept_weights_and_candidates_are_what_the_band_adds(tiny, folder):
    """Matches that are where they were give the band's part of the prediction."""
    config = load(tiny.folder / "tiny.yaml")
    options = band_options(config, "ngram")
    stories = config["stories"]
    features = folder / "features/ngram.h5"
    matcher = Matcher.read(
        "ngram",
        options,
        features=features,
        matches=folder / f"{SUBJECT}_desc-ngram_matches.parquet",
        basis=folder / f"{SUBJECT}_basis.h5",
        delays=config["delays"],
        stories=stories,
    )
    band = load_band("ngram", features, options=options, delays=config["delays"], **stories)
    with h5py.File(folder / f"{SUBJECT}_desc-ngram_fit.h5") as file:
        weights, predicted = file["weights_ngram"][:], file["predictions/test01"][:]
    copies = matcher.copies("test01", predicted, predicted, weights)
    part = band.rows("test01") @ weights
    assert np.abs(part).max() > 0
    np.testing.assert_allclose(predicted - copies.rest, part, atol=1e-5)
    np.testing.assert_allclose(copies.predicted(matcher.match_rows["test01"]), predicted, atol=1e-5)


def test_ceilings_say_why_there_are_none(tiny, folder):
    known = CeilingFile(folder / f"{SUBJECT}_ceiling.h5").read()
    assert known.stories == ["test01"]
    assert known.n_repeats == [2]
    rows = table(tiny, "ceiling").set_index("model")
    assert rows["uses_bold"].tolist() == [False, True, True, True]
    assert np.isnan(known.ceiling).all() == (known.reason != "")
    assert (rows["reason"] == (known.reason or "n/a")).all()
    dataset = Dataset(tiny.folder / "data/tiny", {})
    one, two = dataset.read_repeats("SIM01", "test01")
    np.testing.assert_allclose(known.ev[0], pearson(one, two), atol=1e-5)


def test_partitions_add_up(tiny, folder):
    rows = table(tiny, "partition").set_index("part")
    r2 = rows["r2_mean"].astype(float)
    assert r2.iloc[:3].sum() == pytest.approx(r2["total"], abs=3e-6)
    with h5py.File(folder / f"{SUBJECT}_desc-story_r2.h5") as file:
        assert np.nanmean(file["part/words"][:]) == pytest.approx(r2["words"], abs=1e-6)
    assert (folder / f"{SUBJECT}_desc-storyMatches_fit.h5").is_file()
