"""Bytes changed at random: an error that names the file, or something that was read."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gim.errors import InputError
from gim.text.corpus import read_documents
from gim.training.reading import read_settings
from gim.training.settings import Distillation
from pipeline.config.load import load
from pipeline.dataset.runs import RunTable
from pipeline.readers.formats import open_responses, read_transcript
from pipeline.readers.sidecar import sidecar_of
from tests.fuzz.runs_tree import CIFTI, RUNS, SIDECAR
from tests.fuzz.specimens import CONFIGURATION, CORPORA, TEXTGRID, TRAINING
from tests.helpers.fmriprep import TR


def _read_series(path):
    with open_responses(path, {"tr": TR}) as values:
        return np.array(values[:])


READERS = {
    CIFTI: _read_series,
    RUNS: RunTable.read,
    SIDECAR: lambda path: sidecar_of(path.with_suffix(".dtseries.nii")),
    TEXTGRID: lambda path: read_transcript(path, {}),
    CONFIGURATION: load,
    TRAINING: lambda path: read_settings(path, Distillation),
    CORPORA[".jsonl"]: lambda path: list(read_documents([path])),
    CORPORA[".jsonl.zst"]: lambda path: list(read_documents([path])),
    CORPORA[".jsonl.xz"]: lambda path: list(read_documents([path])),
}
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 20), st.binary(max_size=8)), min_size=1, max_size=3
)


@pytest.mark.parametrize("specimen", READERS, ids=lambda specimen: specimen.name)
def test_random_bytes(specimen, originals, tmp_path):
    original = specimen.path(originals[specimen.write])
    sound, path = original.read_bytes(), tmp_path / original.name

    @settings(
        max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(EDITS)
    def check(edits):
        raw = sound
        for place, n_lost, put in edits:
            start = int(place * len(raw))
            raw = raw[:start] + put + raw[start + n_lost :]
        path.write_bytes(raw)
        try:
            READERS[specimen](path)
        except InputError as error:
            assert path.name in str(error)

    check()
