"""Fixtures shared by the tests of the language model."""

import os

import numpy as np
import pytest

from gim.tokenizer import Tokenizer

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: threads only wait for each other
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def number_tokenizer(vocab_size: int) -> Tokenizer:
    """Text is numbers separated by spaces, each its own token."""
    table = [f" {i}".encode() for i in range(vocab_size)]
    return Tokenizer(f"numbers-{vocab_size}", lambda text: [int(w) for w in text.split()], table)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_240)
