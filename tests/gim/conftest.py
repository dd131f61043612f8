"""Fixtures shared by the tests of the language model."""

import os

import numpy as np
import pytest
from indexing import VOCABULARY, build, documents

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


@pytest.fixture(scope="session")
def indexes(tmp_path_factory):
    """One corpus, as a u16 and a u32 index; ids differ in both bytes and cross 65,535."""
    rng, built = np.random.default_rng(5), {}
    for dtype, size in VOCABULARY.items():
        docs = documents(rng, size - 6, size, [40, 1, 7, 160, 90])
        docs += [*documents(rng, 0, size, [50]), docs[3][:60]]
        folder = tmp_path_factory.mktemp(dtype)
        built[dtype] = (docs, build(folder, docs, number_tokenizer(size)))
    return built
