"""What is said of a run's folder, whatever the dataset."""

import json

import pandas as pd
import pytest

from pipeline.config.load import complete, read_file
from pipeline.derivative.description import COLUMNS, dataset_description, write_description
from tests.conftest import REPOSITORY


def of_tiny(**changes):
    return complete(read_file(REPOSITORY / "config" / "tiny.yaml") | changes)


@pytest.fixture
def config():
    return of_tiny()


def test_a_simulated_dataset_has_no_source(config):
    said = dataset_description(config, "1.2")
    assert said["DatasetType"] == "derivative"
    assert said["GeneratedBy"][0]["Name"] == "gim-encoding"
    assert said["GeneratedBy"][0]["Version"] == "1.2"
    assert "SourceDatasets" not in said


@pytest.mark.parametrize(
    "text", [json.dumps({"Name": "x"}), "[1]", "{", json.dumps({"DatasetDOI": 3})]
)
def test_a_source_that_says_nothing_usable_of_itself_is_left_out(tmp_path, text):
    (tmp_path / "dataset_description.json").write_text(text)
    config = of_tiny(simulate=None, data_root=str(tmp_path))
    assert "SourceDatasets" not in dataset_description(config, "1")


def test_address_and_doi_of_the_source_are_told_and_never_its_folder(tmp_path):
    about = {"Name": "x", "DatasetDOI": "doi:10.18112/openneuro.ds003020.v3.0.0"}
    (tmp_path / "dataset_description.json").write_text(json.dumps(about), encoding="utf-8-sig")
    fetch = {"files": "https://a.org/f", "pointers": "https://me:token@a.org/p?key=1"}
    own = {"fetch": fetch, "authors": ["A", "B"], "citation": ["LeBel et al. 2023"]}
    config = of_tiny(simulate=None, data_root=str(tmp_path), **own)
    folder = tmp_path / "results"
    folder.mkdir()
    write_description(config, folder)
    said = json.loads((folder / "dataset_description.json").read_text())
    source = {"URL": "https://a.org/p", "DOI": "10.18112/openneuro.ds003020.v3.0.0"}
    assert said["SourceDatasets"] == [source]
    assert said["Authors"] == ["A", "B"]
    assert said["ReferencesAndLinks"] == ["LeBel et al. 2023"]
    assert not [p for p in folder.iterdir() if str(tmp_path) in p.read_text()]


def test_every_label_is_explained_once(config, tmp_path):
    write_description(config, tmp_path)
    table = pd.read_csv(tmp_path / "descriptions.tsv", sep="\t")
    assert list(table) == list(COLUMNS)
    said = table.set_index("desc_id")["description"].to_dict()
    assert len(said) == len(table)
    assert said["desc-eng1000"] == "model of the bands eng1000"
    assert said["desc-ngramlag"] == (
        "model of the bands eng1000 + drift + ngramlag; matches of the band ngramlag, of kind lag"
    )
    assert said["desc-story"] == "partition of R2 among the spaces words, matches"
    assert "desc-drift" not in said  # no file has this label
