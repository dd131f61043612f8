"""The passages of a memory that are most like the context: their weights are the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.features.base import Kind


def compute(there: Sequence[str], followed: Sequence[str], options: Mapping[str, Any]) -> None:
    """Nothing but the passages themselves: each is a column (see `Kind.compute`)."""


KIND = Kind(
    "passages",
    "memory",
    compute,
    zscore="training",
    options={
        "memory": "training",  # passages of training stories, of a corpus, or of both
        "corpus": None,
        "corpus_passages": 5000,
        "n_passages": 2000,
        "chosen": "sampled",
        "n_matches": 50,
        "weighting": "cosine",  # of the most alike, or a mixture by "pursuit"
        "temperature": 0.2,
        "normalise": "standardise",
        "pooled": "row",  # states are means over a row's words, or over so many words
        "encoder": None,
        "output": "vectors",  # of the encoder
        "model": None,
        "layers": 8,
        "context": None,
        "step": 1,
        "pool": "last",
        "bos": True,
        "dtype": None,
    },
    resources=("states",),
)
