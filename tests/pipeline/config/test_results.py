"""Where the results of a run lie, and what its models are asked."""

from itertools import chain
from pathlib import Path

import pytest

from pipeline.config.group_results import GroupResults
from pipeline.config.load import load
from pipeline.config.models import audited_bands, controlled_models, explored_bands, used_bands
from pipeline.config.results import Results, made_here
from tests.conftest import REPOSITORY


@pytest.fixture
def tiny():
    return Results(load(REPOSITORY / "config" / "tiny.yaml"))


def test_files_of_a_subject_have_bids_names(tiny):
    assert tiny.fit("SIM01", "ngram") == "results/tiny/sub-SIM01/sub-SIM01_desc-ngram_fit.h5"
    assert tiny.matches("SIM01", "ngram") == (
        "results/tiny/sub-SIM01/sub-SIM01_desc-ngram_matches.parquet"
    )


def test_features_of_the_stimulus_are_common_to_all_subjects(tiny):
    assert tiny.band("SIM01", "eng1000") == "results/tiny/features/eng1000.h5"
    assert tiny.band("SIM01", "ngram") == "results/tiny/sub-SIM01/features/ngram.h5"


@pytest.mark.parametrize("shown", [[], ["eng1000"]], ids=["none", "the baseline"])
def test_regions_have_a_chart_where_a_model_is_compared(tiny, shown):
    """The baseline's gain over itself is no picture; the table is there all the same."""
    assert len(tiny.region_charts()) == 2
    config = tiny.config | {"maps": {"figures_for": shown}}
    assert Results(config).region_charts() == []
    assert Results(config).region_table() == tiny.region_table()


def test_over_subjects_there_is_something_of_two(tiny):
    """Tables always, maps where values have places that are not each subject's own."""

    def names(subjects, **mask):
        config = tiny.config | {"subjects": dict.fromkeys(subjects)}
        config["mask"] = config["mask"] | mask
        return [Path(file).name for file in GroupResults(Results(config)).all()]

    tables = ["group.tsv", "group_subjects.tsv"]
    assert names(["SIM01"]) == []
    assert names(["SIM01", "SIM02"]) == [*tables, "group_maps.json"]
    own = {"path": "masks/{subject}.nii.gz"}
    assert names(["SIM01", "SIM02"], **own) == [*tables, "group_maps.json"]  # in MNI space
    assert names(["SIM01", "SIM02"], **own, space="native") == tables


@pytest.mark.parametrize("name", ["tiny", "demo", "realdata", "lebel"])
def test_no_two_results_have_one_name(name):
    files = Results(load(REPOSITORY / "config" / f"{name}.yaml"))
    config, subjects = files.config, files.subjects
    found = [
        *[file for file in files.final() if not file.endswith("fit.h5")],
        *(files.fit(s, model) for s in subjects for model in files.models),
        *files.statistics(),
        *map(files.basis, subjects),
        *map(files.ceiling, subjects),
        *files.partitions(),
        *files.explorers(),
        *files.region_table(),
        *files.region_charts(),
        *{files.band(s, band) for s in subjects for band in config["features"]},
        *GroupResults(files).all(),
        *chain.from_iterable(files.audited_matches(s).values() for s in subjects),
    ]
    assert len(found) == len(set(found))
    assert all(Path(file).is_relative_to(files.folder) for file in found)


def test_gram_matrices_of_a_pair_are_one_file_whatever_its_order(tiny):
    assert tiny.gram("S", "ngram", "eng1000") == tiny.gram("S", "eng1000", "ngram")
    assert tiny.grams("SIM01", "ngram") == []  # not shared
    shared = Results({**tiny.config, "fit": {**tiny.config["fit"], "share_grams": True}})
    assert len(shared.grams("SIM01", "ngram")) == 6  # of three bands: each, and each two


def test_what_a_partition_needs_besides_the_models(tiny):
    (partition,) = tiny.config["partitions"]
    fits = tiny.partition_fits("SIM01", partition)
    assert fits[-1:] == tiny.whole_partition_fits()
    assert set(tiny.fits()) < {tiny.fit("SIM01", model) for model in tiny.models} | set(fits)


def test_files_of_a_simulated_dataset_are_made_here(tiny):
    transcript = Path(tiny.config["data_root"]) / "derivative" / "x.TextGrid"
    assert made_here(tiny.config, transcript)
    assert not made_here({**tiny.config, "simulate": None}, transcript)
    assert not made_here(tiny.config, "elsewhere/x.TextGrid")
    assert tiny.truth() == [f"{tiny.config['data_root']}/truth/settings.json"]


def test_matchers_are_audited_explored_and_controlled(tiny):
    config = tiny.config
    assert set(audited_bands(config)) == set(used_bands(config)) - {"eng1000"}
    assert explored_bands(config) == {"random": "random", "ngram": "ngram"}
    assert controlled_models(config) == {}  # there is no model with the matches and their control
    both = {**config["models"], "both": ["eng1000", "drift", "ngramlag", "ngram"]}
    assert controlled_models({**config, "models": both}) == {"both": "ngramlag"}
