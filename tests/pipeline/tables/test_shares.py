"""Shares of bands sum to what a model explains, place by place, and are drawn so."""

import base64

import numpy as np
import pytest

from pipeline.fit.file import FitFile
from pipeline.report.shares import shared_out
from pipeline.tables.shares import COLUMNS, shares_table
from tests.helpers.fits import write_fit

N = 120
MODELS = {"words": ["words"], "both": ["words", "past"]}


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    r_train, fits = rng.standard_normal((3, N)), {}
    r_cv = np.arange(N) / N
    for model, bands in MODELS.items():
        share = rng.standard_normal((len(bands), N)) * 0.01 + 0.1
        share[:, 3] = np.nan  # a voxel that does not vary
        fits["S1", model] = write_fit(
            tmp_path / f"{model}.h5", r_cv, r_cv, r_train, bands, ["a", "b", "c"], share=share
        )
    labels = {"S1": {"brain": np.repeat(["left", "right", ""], [8, 8, N - 16])}}
    return shares_table(fits, labels, "words"), fits


def test_shares_sum_to_what_is_explained(table):
    found, _ = table
    assert list(found.columns) == COLUMNS
    both = found[found["model"] == "both"].set_index(["region", "band"])
    assert set(both.index.get_level_values(0)) == {"all", "top 10 %", "left", "right"}
    np.testing.assert_allclose(both.groupby("region")["fraction"].sum(), 1)
    assert both.loc[("all", "past"), "n_voxels"] == N - 1
    assert both.loc[("top 10 %", "past"), "n_voxels"] == N // 10
    assert both.loc[("left", "past"), "n_voxels"] == 7


def test_the_best_voxels_are_the_baselines(table):
    found, fits = table
    own = found.set_index(["model", "region", "band"])["r2"]
    expected = FitFile(fits["S1", "both"]).shares()["past"][-N // 10 :].mean()
    assert own["both", "top 10 %", "past"] == pytest.approx(expected)


def test_a_model_that_explains_nothing_has_no_fractions(tmp_path):
    zero = np.zeros(N)
    path = write_fit(
        tmp_path / "f.h5", zero, zero, np.zeros((3, N)), ["words"], ["a", "b", "c"],
        share=np.full((1, N), -0.1),
    )  # fmt: skip
    found = shares_table({("S1", "words"): path}, {"S1": {}}, "words")
    assert found["fraction"].isna().all()
    assert (found["r2"] < 0).all()


def test_the_figures_show_models_and_regions(table):
    found = shared_out(table[0], MODELS)
    assert found["shown"] == "both"
    assert list(found["regions"]) == ["brain"]
    svg = base64.b64decode(found["regions"]["brain"].split(",")[1]).decode()
    assert all(f">{text}</text>" in svg for text in ("left", "right", "words", "past"))
    assert found["of"] == "top 10 %"
    few = table[0].assign(n_voxels=table[0]["n_voxels"].where(table[0]["region"] != "top 10 %", 0))
    assert shared_out(few, MODELS)["of"] == "all"
    assert shared_out(table[0], {"words": ["words"]})["models"] is None
    assert shared_out(None, MODELS)["models"] is None
