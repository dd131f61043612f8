"""Pieces of texts."""

import numpy as np
import pytest

from gim.errors import InputError
from gim.text.pieces import read_pieces
from tests.helpers.random_models import letters


def test_pieces_come_from_each_file_in_turn(tmp_path):
    for name, text in {"a": "abcdefgh", "b": "ijk", "c": "lmnopqr"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    files = [tmp_path / f"{name}.txt" for name in "abc"]
    pieces = read_pieces(files, letters(), 3, 5)
    assert ["".join(chr(97 + i) for i in piece) for piece in pieces] == [
        "abc", "ijk", "lmn", "def", "opq",
    ]  # fmt: skip
    assert all(piece.dtype == np.int64 for piece in pieces)
    with pytest.raises(InputError, match=r"c\.txt: 5 of the 6 pieces of 3 tokens"):
        read_pieces(files, letters(), 3, 6)
    with pytest.raises(InputError, match="at least one of two tokens"):
        read_pieces(files, letters(), 1, 6)
