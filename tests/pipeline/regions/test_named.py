"""Columns with names are regions without a mask."""

from pipeline.config.load import complete
from pipeline.config.results import Results
from pipeline.dataset.dataset import NAMED
from tests.helpers import regional


def test_named_columns_are_regions_and_without_a_place_there_are_no_maps(tmp_path):
    subjects = regional.write_dataset(tmp_path, 2, n_rows=20)
    files = Results(complete(regional.configuration(tmp_path, subjects)))
    assert files.parcellations() == [NAMED]
    assert files.charted() == [NAMED]
    assert files.maps() == []
    assert not any("maps.json" in path for path in files.final())
