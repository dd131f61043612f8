"""Small corpora of numbers, their indexes, and queries by brute force."""

import json
from collections import Counter

import numpy as np

from gim.infinigram.index import build_index

VOCABULARY = {"u16": 600, "u32": 70_000}


def documents(rng, low, high, sizes):
    return [rng.integers(low, high, n).tolist() for n in sizes]


def build(folder, docs, tokenizer, name="index"):
    corpus = folder / f"{name}.jsonl"
    corpus.write_text("".join(json.dumps({"text": " ".join(map(str, d))}) + "\n" for d in docs))
    build_index([corpus], tokenizer, folder / name, progress=False)
    return folder / name


def brute(docs, query):
    """Continuations of ``query`` inside the documents."""
    n = len(query)
    return Counter(d[i + n] for d in docs for i in range(len(d) - n) if d[i : i + n] == query)


def brute_longest(docs, context):
    for n in range(len(context), -1, -1):
        found = brute(docs, context[len(context) - n :])
        if found:
            return n, found
    raise AssertionError("an empty corpus")


def recurring(rng) -> tuple[list[list[int]], np.ndarray]:
    """Two documents and a context in which one stretch of ids comes again."""
    motif = rng.integers(300, 330, 60).tolist()
    docs = [motif + rng.integers(300, 330, 150).tolist(), [*motif[20:50], 400, 401]]
    context = np.concatenate(
        [rng.integers(300, 330, 40), motif[5:45], rng.integers(300, 303, 60), motif[10:60]]
    )
    return docs, context
