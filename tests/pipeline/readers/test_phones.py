"""Phones of a transcript: those of the one tier that is called so, or none."""

import numpy as np
import pytest

from pipeline.readers.formats import read_phones
from tests.helpers.datasets import long_textgrid, short_textgrid

WORDS = [(0, 1, "ship"), (1, 2, "sp")]
PHONES = [(0, 0.4, "SH"), (0.4, 0.6, "IH1"), (0.6, 1, "P"), (1, 2, "sp")]


@pytest.mark.parametrize("write", [long_textgrid, short_textgrid])
@pytest.mark.parametrize("name", ["phones", "Phonemes", "s1 - phone"])
def test_phones_and_their_times(tmp_path, write, name):
    path = tmp_path / "s.TextGrid"
    path.write_text(write({"word": WORDS, name: PHONES}))
    found = read_phones(path, {"tier": "word", "start": 0.5})
    assert found["phone"].tolist() == ["sh", "ih1", "p"]
    np.testing.assert_allclose(found["onset"], [-0.5, -0.1, 0.1])
    np.testing.assert_allclose(found["offset"], [-0.1, 0.1, 0.5])


@pytest.mark.parametrize("names", [[], ["phones", "phones (other)"]])
def test_without_one_tier_of_phones_there_are_none(tmp_path, names):
    path = tmp_path / "s.TextGrid"
    path.write_text(long_textgrid({"word": WORDS, **dict.fromkeys(names, PHONES)}))
    assert read_phones(path, {}) is None


def test_tables_have_none(tmp_path):
    assert read_phones(tmp_path / "words.tsv", {}) is None
