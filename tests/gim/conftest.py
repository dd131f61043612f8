"""Fixtures shared by the tests of the language model."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gim.text.tokenizer import Tokenizer, load_tokenizer
from tests.helpers.indexing import VOCABULARY, build, documents

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


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """Sixty documents in which every "key K" is followed by the same word."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("corpus") / "text.jsonl"
    with path.open("w") as file:
        for number in range(60):
            words = [f"The key {k} opens Door {k * 7 % 10}." for k in rng.integers(0, 10, 40)]
            file.write(json.dumps({"title": str(number), "text": " ".join(words)}) + "\n")
    return path


@pytest.fixture(scope="session")
def small(corpus) -> Tokenizer:
    """Three hundred tokens instead of 16,384."""
    from gim.text.train_tokenizer import train  # these two import torch, for which see above

    path = corpus.with_name("tokenizer.json")
    train([str(corpus)], path, 300, 100_000)
    return load_tokenizer(str(path))


@pytest.fixture
def folder(tmp_path, corpus, small) -> dict:
    """Settings of a pretraining that takes a second."""
    return {
        "out": str(tmp_path / "teacher"),
        "tokenizer": str(corpus.with_name("tokenizer.json")),
        "data": {
            "corpora": [str(corpus)],
            "length": 70,
            "hold_out": 10,
            "cache": str(tmp_path / "tokens"),
        },
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 128},
        "optimisation": {
            "steps": 12,
            "batch": 4,
            "accumulation": 2,
            "rate": 0.01,
            "warmup": 2,
            "log_every": 1,
            "checkpoint_every": 4,
        },
    }


@pytest.fixture
def teacher(tmp_path, small) -> str:
    """A random Llama, saved with its tokenizer."""
    from gim.training.pretrain import make_model
    from gim.training.settings import Shape

    model = make_model(Shape(width=16, layers=1, heads=2, context=128), small.vocab_size, 0)
    path = tmp_path / "saved"
    model.save_pretrained(path)
    small.fast.save(str(path / "tokenizer.json"))
    return str(path)
