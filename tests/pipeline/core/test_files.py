"""Files that are damaged are set aside, those that are being written are not."""

import fcntl

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.core.atomic import read_table, write_table
from pipeline.core.errors import ProblemError
from pipeline.core.files import set_aside
from pipeline.readers.hdf5 import open_hdf5


@pytest.fixture
def written(tmp_path):
    """An HDF5 file that another has locked, as HDF5 does while it writes."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.ones((2, 3))
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_a_file_that_is_open_for_writing_is_not_called_truncated(written):
    with pytest.raises(ProblemError) as caught, open_hdf5(written):
        pass
    (problem,) = caught.value.problems
    assert "open for writing elsewhere" in problem.what
    assert "close it there" in problem.remedy


def test_a_result_that_is_open_for_writing_stays(written, tmp_path):
    with pytest.raises(ProblemError, match="open for writing elsewhere"):
        set_aside([written], tmp_path)
    assert written.is_file()


def test_names_of_digits_stay_names(tmp_path):
    """BIDS calls subjects 01; with a row of means or without, no name becomes a number."""
    written = pd.DataFrame(
        {"subject": ["01", "02"], "model": ["1", "gim"], "r_mean": [0.5, np.nan]}
    )
    write_table(written, tmp_path / "a.tsv")
    read = read_table(tmp_path / "a.tsv")
    assert read["subject"].tolist() == ["01", "02"]
    assert read["model"].tolist() == ["1", "gim"]
    np.testing.assert_array_equal(read["r_mean"], [0.5, np.nan])


def test_names_that_others_take_for_nothing_stay_names(tmp_path):
    """NA is a region, the nucleus accumbens; a baseline called 1 is not 1.0."""
    written = pd.DataFrame(
        {"region": ["NA", "nan", None], "baseline": [None, "1", "None"], "p": [np.nan, 0.5, 1.0]}
    )
    write_table(written, tmp_path / "a.tsv")
    read = read_table(tmp_path / "a.tsv")
    assert read["region"].tolist()[:2] == ["NA", "nan"]
    assert read["baseline"].tolist()[1:] == ["1", "None"]
    assert read[["region", "baseline", "p"]].isna().to_numpy().sum(axis=0).tolist() == [1, 1, 1]
    assert read["p"].dtype == float
