"""Controls of the finished tiny run, made as their rules make them."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config.load import complete, read_file
from pipeline.controls.run import presentations, shuffled_chunks
from pipeline.fit.file import FitFile
from pipeline.tables.controls import CHUNKS, WARNING
from pipeline.tables.presentations import COLUMNS

pytestmark = pytest.mark.workflow
SUBJECT = "sub-SIM01"


@pytest.fixture
def config(tiny, monkeypatch):
    monkeypatch.chdir(tiny.folder)
    controls = {"shuffled_chunks": ["eng1000"], "presentations": ["random"]}
    return complete(read_file("tiny.yaml") | {"controls": controls})


def fit(tiny, model):
    return FitFile(tiny.results("tiny") / SUBJECT / f"{SUBJECT}_desc-{model}_fit.h5")


def test_shuffled_chunks_stand_beside_whole_stories(tiny, config):
    table = shuffled_chunks(config)
    assert list(table.columns) == CHUNKS
    (row,) = table.to_dict("records")
    assert row["r_stories"] == pytest.approx(np.nanmean(fit(tiny, "eng1000").scores().r_train))
    assert row["inflation"] == pytest.approx(row["r_shuffled_chunks"] - row["r_stories"])
    assert row["warning"] == WARNING


def test_single_presentations_are_scored_with_the_weights_of_the_fit(tiny, config):
    table = presentations(config)
    assert list(table.columns) == COLUMNS
    assert table["model"].tolist() == ["eng1000", "random"]
    for _, row in table.iterrows():
        r = fit(tiny, row["model"]).r_test()["test01"]
        assert row["r_mean"] == pytest.approx(np.nanmean(r), abs=1e-4)
    assert table["uses_bold"].tolist() == [False, True]
    assert table["n_presentations"].tolist() == [2, 2]


def test_shares_are_those_of_the_fits(tiny):
    table = pd.read_csv(tiny.results("tiny") / "shares.tsv", sep="\t")
    assert set(table["parcellation"]) == {"voxels", "truth", "brain"}
    own = table[(table["model"] == "random") & (table["region"] == "all")].set_index("band")
    for band, share in fit(tiny, "random").shares().items():
        assert own.loc[band, "r2"] == pytest.approx(np.nanmean(share), abs=1e-5)
