"""Encoders on disk whose files do not agree."""

import json

import numpy as np
import pytest
from torch import nn

from gim.encoder.encoder import Encoder
from gim.encoder.stream import EncoderStream
from gim.errors import InputError


def test_no_memory_is_taken_for_an_encoder_that_is_not_there(tmp_path, monkeypatch):
    """Its config.json announces 100,000 ids, its weights have the tokenizer's 16,384."""
    Encoder.create(width=16, dim=8, layers=1, heads=2).save_pretrained(tmp_path / "encoder")
    path = tmp_path / "encoder" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vocab_size": 100_000}))
    taken, fill = [], nn.init.normal_

    def record(weight, *args, **options):
        taken.append(0 if weight.is_meta else weight.numel())
        return fill(weight, *args, **options)

    monkeypatch.setattr(nn.init, "normal_", record)
    with pytest.raises(InputError, match="damaged encoder"):
        Encoder.from_pretrained(tmp_path / "encoder")
    assert max(taken) < 100_000 * 16


def test_the_message_names_the_weight_and_both_shapes(tmp_path):
    Encoder.create(width=16, dim=8, layers=1, heads=2).save_pretrained(tmp_path / "encoder")
    path = tmp_path / "encoder" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dim": 4}))
    with pytest.raises(InputError, match=r"project.weight has the shape \(8, 16\), .* \(4, 16\)"):
        Encoder.from_pretrained(tmp_path / "encoder")


@pytest.mark.parametrize("pieces", [[""], ["", ""], ["", "a word"]])
def test_before_the_first_letter_nothing_is_said(pieces):
    """A tokenizer's first token can be the beginning of a letter."""
    stream = EncoderStream(Encoder.create(width=16, layers=2, heads=2, window=4, dim=8))
    said = np.concatenate([stream.push(pieces), stream.push([" more"])])
    silent = [not piece for piece in pieces] + [False]
    np.testing.assert_array_equal((said == 0).all(axis=1), silent)
    np.testing.assert_allclose(np.linalg.norm(said, axis=1), 1 - np.array(silent), atol=1e-5)
