"""Plain similarities against their definitions."""

from collections import Counter

import numpy as np
import pytest
import torch

from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.evaluation.baselines import NAMES, StaticEncoder, TokenBag, baseline
from gim.induction.fuzzy import EncoderMetric, FuzzyInduction
from gim.text.tokenizer import load_tokenizer
from tests.gim.conftest import number_tokenizer


def cosine(a: Counter, b: Counter) -> float:
    dot = sum(a[k] * b[k] for k in a)
    return dot / np.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))


@pytest.mark.parametrize("length", [1, 3, 8])
def test_bag_is_the_cosine_of_counts(length, rng):
    ids = rng.integers(0, 9, 60)
    metric, tokenizer = TokenBag(length), number_tokenizer(9)
    stream = metric.stream(tokenizer)
    states = np.concatenate([stream.push(part) for part in np.array_split(ids, 7)])
    found = metric.similarity(states[50:], states[:50])
    for i in range(10):
        for j in range(50):
            bags = [Counter(ids[max(0, t + 1 - length) : t + 1].tolist()) for t in (50 + i, j)]
            assert found[i, j] == pytest.approx(np.exp((cosine(*bags) - 1) / 0.1), rel=1e-4)


def test_identity_of_the_last_token_counts_what_followed_it():
    fuzzy = FuzzyInduction(TokenBag(1), number_tokenizer(9))
    fuzzy.extend([1, 2, 3, 1, 2, 4, 1, 2, 3, 1])
    ids, sums = fuzzy.counts()
    other = np.exp(-10)  # of each place with another last token
    assert ids.tolist() == [2, 1, 3, 4]
    assert sums == pytest.approx([3, 3 * other, 2 * other, other], rel=1e-3)


def test_static_vectors_are_averaged_over_the_prefix():
    tokenizer = load_tokenizer()
    weight = torch.randn(tokenizer.vocab_size, 12, generator=torch.Generator().manual_seed(0))
    metric = EncoderMetric(StaticEncoder(weight, tokenizer))
    text = "the naïve cat sat on the mat; it's a running gag, and so on and so forth" * 3
    ids = tokenizer.encode(text)
    states = metric.stream(tokenizer).push(ids)
    centred = (weight - weight.mean(0)).numpy()
    _, ends = tokenizer.text_and_ends(ids)
    for t in range(len(ids)):
        mean = centred[tokenizer.encode(text[: ends[t]])[-8:]].mean(0)
        assert states[t] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_baselines_by_name():
    encoder = Encoder.create(seed=1, width=32, heads=2, dim=16).eval()
    tokenizer, text = encoder.tokenizer, "one two three four"
    states = {}
    for name in NAMES:
        metric = baseline(name, encoder, seed=7)
        states[name] = metric.stream(tokenizer).push(tokenizer.encode(text))
    own = encoder.vectors(text, [len(text)])[0]
    assert states["random"].shape[1] == 16
    assert not np.allclose(states["random"][-1], own)
    again = baseline("random", encoder, seed=7).stream(tokenizer).push(tokenizer.encode(text))
    assert np.array_equal(again, states["random"])
    assert states["static"].shape[1] == 32
    with pytest.raises(InputError, match="none of random"):
        baseline("best", encoder)
