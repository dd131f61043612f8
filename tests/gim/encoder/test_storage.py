"""Weights on disk in fewer bits."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file, save_file

from gim.encoder.encoder import Encoder
from gim.encoder.storage import LARGEST, TINY, pack, unpack
from gim.errors import InputError

NUMBERS = st.floats(-1e4, 1e4, width=32)


@given(hnp.arrays(np.float32, (3, 64), elements=NUMBERS))
@example(np.full((3, 64), 2.1e-44, np.float32))
@example(np.full((3, 64), 1.2e-38, np.float32))
def test_eight_bits_keep_a_row_to_half_a_step(values):
    stored = pack({"a": torch.from_numpy(values)}, "int8")
    found = unpack(stored)["a"].numpy()
    step = np.maximum(np.abs(values).max(1, keepdims=True) / LARGEST, TINY)
    assert stored["a"].dtype == torch.int8
    assert np.all(np.abs(found - values) <= step * (0.5 + 1e-5))


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
def test_what_was_stored_and_read_again_stays_as_it_is(storage):
    rng = np.random.default_rng(0)
    weights = {
        "matrix": rng.standard_normal((5, 80)),
        "small": rng.standard_normal((80, 5)),
        "row": rng.standard_normal(7),
    }
    once = unpack(pack({k: torch.from_numpy(v).float() for k, v in weights.items()}, storage))
    twice = unpack(pack(once, storage))
    for name in weights:
        assert once[name].dtype == torch.float32
        torch.testing.assert_close(twice[name], once[name], rtol=1e-6, atol=0)


def test_an_encoder_in_eight_bits_says_the_same(tmp_path):
    encoder = Encoder.create(width=64, dim=32, layers=2, heads=2, state_dim=8)
    for storage in ("float16", "int8"):
        encoder.save_pretrained(tmp_path / storage, storage)
    sizes = [(tmp_path / s / "model.safetensors").stat().st_size for s in ("float16", "int8")]
    assert sizes[1] < 0.6 * sizes[0]
    text = "she put the letter on the table and went"
    ends = range(1, len(text) + 1)
    plain, small = (Encoder.from_pretrained(tmp_path / s) for s in ("float16", "int8"))
    assert (plain.vectors(text, ends) * small.vectors(text, ends)).sum(1).min() > 0.999
    encoder.round_to("int8")
    np.testing.assert_array_equal(encoder.vectors(text, ends), small.vectors(text, ends))


def test_a_matrix_without_its_scale_is_one_clear_error(tmp_path):
    encoder = Encoder.create(width=64, dim=32, layers=1, heads=2)
    encoder.save_pretrained(tmp_path / "encoder", "int8")
    path = tmp_path / "encoder" / "model.safetensors"
    stored = load_file(path)
    del stored["embed.weight.scale"]
    save_file(stored, path)
    with pytest.raises(InputError, match=r"embed.weight is stored in eight bits without a scale"):
        Encoder.from_pretrained(tmp_path / "encoder")
