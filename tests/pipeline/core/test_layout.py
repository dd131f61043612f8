"""Every kind of file says its layout, and is refused where it has none or another one."""

import h5py
import numpy as np
import pytest

from pipeline.bands.compute import BandFile
from pipeline.core.errors import ProblemError
from pipeline.dataset.basis import BasisFile, ResponseBasis
from pipeline.fit.design import Band
from pipeline.fit.file import FitFile
from pipeline.fit.grams import GramFile
from pipeline.statistics.ceiling import Estimate
from pipeline.statistics.ceiling_file import CeilingFile
from pipeline.statistics.options import TestOptions
from pipeline.statistics.partition_file import PartitionFile
from pipeline.statistics.permutation import Tally
from pipeline.statistics.stats_file import StatsFile
from tests.helpers.fits import write_fit

OPTIONS = TestOptions(
    scheme="shift", permutations=100, min_shift=10, block=10, tail="none", alpha=0.05
)


def outcome():
    tally = Tally(9, 3)
    null = np.random.default_rng(0).standard_normal((9, 3))
    tally.add(slice(0, 3), np.ones(3), null)
    return tally.result()


def make_fit(path):
    write_fit(path, np.ones(3), np.ones(3), np.ones((2, 3)), ["m"], ["a", "b"])


def make_band(path):
    with BandFile.create(path) as file:
        file.write("a", np.ones((4, 2)))


def make_basis(path):
    with BasisFile.create(path, ResponseBasis(np.ones(3), np.eye(3), np.ones(3))) as file:
        file.write_scores("a", np.ones((4, 3)))


def make_gram(path):
    band = Band("m", {"a": np.ones((4, 2), np.float32)}, (0,), (1.0,))
    GramFile.write(path, band, band, {"a": 0})


def make_stats(path):
    with StatsFile.create(path, {}) as file:
        file.write_r(outcome(), OPTIONS)


def make_ceiling(path):
    with CeilingFile.create(path, {"a": 2}, 3, {}) as file:
        file.write(0, slice(0, 3), Estimate(*np.ones((3, 3))), np.ones(3))
        file.write_reason("")


def make_partition(path):
    values = {("a",): np.ones(3), ("b",): np.ones(3), ("a", "b"): np.ones(3)}
    PartitionFile.write(
        path, ["a", "b"], r2=values, parts=values, tests={"a": outcome()}, options=OPTIONS,
        attributes={},
    )  # fmt: skip


KINDS = {
    "fit/1": (make_fit, lambda path: FitFile(path).scores()),
    "band/1": (make_band, lambda path: BandFile(path).read(["a"])),
    "basis/1": (make_basis, lambda path: BasisFile(path).scores(["a"])),
    "gram/1": (make_gram, lambda path: GramFile.read_all([path])),
    "stats/1": (make_stats, lambda path: StatsFile(path).tests()),
    "ceiling/1": (make_ceiling, lambda path: CeilingFile(path).read()),
    "partition/1": (make_partition, lambda path: PartitionFile(path).read()),
}


@pytest.fixture(params=KINDS)
def made(request, tmp_path):
    """A file of a kind, its layout, and how it is read."""
    make, read = KINDS[request.param]
    path = tmp_path / "file.h5"
    make(path)
    return path, request.param, read


def test_a_file_says_its_layout_and_is_read(made):
    path, layout, read = made
    with h5py.File(path) as file:
        assert file.attrs["layout"] == layout
    assert read(path)


def test_results_of_before_are_refused_with_a_remedy(made):
    path, layout, read = made
    with h5py.File(path, "a") as file:
        del file.attrs["layout"]
    with pytest.raises(ProblemError) as caught:
        read(path)
    (problem,) = caught.value.problems
    assert problem.file == path
    assert f"says no layout, but {layout} is needed" in problem.what
    assert "delete it, or run into another results folder" in problem.remedy


@pytest.mark.parametrize("other", ["fit/0", "band/2", "Fit/1", ""])
def test_another_layout_is_refused(made, other):
    path, layout, read = made
    with h5py.File(path, "a") as file:
        file.attrs["layout"] = other
    with pytest.raises(ProblemError, match=f"has the layout {other}, but {layout} is needed"):
        read(path)


def test_chunks_of_before_are_not_joined(tmp_path):
    chunks = [tmp_path / "1.h5", tmp_path / "2.h5"]
    for chunk in chunks:
        make_fit(chunk)
    with h5py.File(chunks[1], "a") as file:
        del file.attrs["layout"]
    with pytest.raises(ProblemError, match=r"2\.h5"), FitFile.join(chunks, tmp_path / "joined.h5"):
        pass
    assert not (tmp_path / "joined.h5").exists()


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), BandFile.create(tmp_path / "out" / "b.h5") as file:
        file.write("a", np.ones((4, 2)))
        assert file.read(["a"])["a"].shape == (4, 2)  # what is written can be read meanwhile
        raise RuntimeError
    assert list((tmp_path / "out").iterdir()) == []
