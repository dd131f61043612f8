"""What listeners share is found across spaces, and nothing where they share nothing."""

import h5py
import numpy as np
import pytest
from scipy import stats

from pipeline.core.errors import ProblemError
from pipeline.core.hdf5 import write_regions
from pipeline.statistics.intersubject import r_of_others
from tests.helpers.responses import rewrite, write_responses
from tests.pipeline.statistics.test_chunks import OPTIONS

ROWS = {"a": 80, "b": 90, "c": 85, "d": 80, "x": 100}
STORIES = {"train": ["a", "b", "c", "d"], "test": ["x"]}


@pytest.fixture(scope="module")
def listeners(tmp_path_factory):
    """S2 hears what S1 hears, in a space of its own; S3 something else; S4 is S1's space."""
    root = tmp_path_factory.mktemp("listeners")
    rng = np.random.default_rng(0)
    shared = {story: rng.standard_normal((n, 3)) for story, n in ROWS.items()}
    maps = {"S1": rng.standard_normal((3, 10)), "S2": rng.standard_normal((3, 14))}
    for subject, n_voxels in {"S1": 10, "S2": 14, "S3": 10, "S4": 10}.items():
        dataset = write_responses(root, ROWS, n_voxels, subject, seed=ord(subject[1]))
        for story in ROWS:
            bold = dataset.read_responses(subject, story).astype(float)
            if subject != "S3":
                bold += 2 * shared[story] @ maps.get(subject, maps["S1"])
            rewrite(dataset, subject, story, bold)
    return dataset


def r(dataset, others, method="aligned"):
    return r_of_others(
        dataset, "S1", others, method=method, stories=STORIES, n_components=5, options=OPTIONS
    )


def test_components_are_aligned_by_training_stories(listeners):
    assert r(listeners, ["S2"]).mean() > 0.45
    assert abs(r(listeners, ["S3"]).mean()) < 0.15


def test_the_test_story_aligns_nothing(listeners):
    """Its responses reversed for the subject alone, what was learnt predicts it no more."""
    bold = listeners.read_responses("S1", "x")
    rewrite(listeners, "S1", "x", bold[::-1])
    reversed_r = r(listeners, ["S2"])
    rewrite(listeners, "S1", "x", bold)
    assert abs(reversed_r.mean()) < 0.3


def test_in_one_space_voxels_are_compared(listeners):
    found = r(listeners, ["S4"], "voxels")
    bold = (listeners.read_responses(s, "x").astype(float) for s in ("S1", "S4"))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(*(b.T for b in bold), strict=True)]
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    with pytest.raises(ProblemError, match="S1 10, S2 14"):
        r(listeners, ["S2"], "voxels")


def test_regions_are_compared_by_name(tmp_path):
    """Whatever their order; where nobody else has a region, its r is not known."""
    rng, names = np.random.default_rng(0), {"S1": ["A", "B", "C"], "S2": ["B", "A"], "S3": ["B"]}
    for subject, own in names.items():
        dataset = write_responses(tmp_path, ROWS, len(own), subject, seed=int(rng.integers(99)))
        for story in ROWS:
            with h5py.File(dataset.responses(subject, story), "a") as file:
                write_regions(file, own)
    found = r(dataset, ["S2", "S3"], "voxels")[0]
    bold = {s: stats.zscore(dataset.read_responses(s, "x").astype(float)) for s in names}
    expected = [
        np.corrcoef(bold["S1"][:, 0], bold["S2"][:, 1])[0, 1],
        np.corrcoef(bold["S1"][:, 1], bold["S2"][:, 0] + bold["S3"][:, 0])[0, 1],
        np.nan,
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)
