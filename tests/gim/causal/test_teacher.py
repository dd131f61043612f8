"""A language model as a metric, against one forward pass a position."""

import functools

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gim.causal.divergence import jsd, symmetric_kl
from gim.causal.teacher import TeacherMetric
from gim.errors import InputError
from gim.induction.fuzzy import FuzzyInduction
from gim.text.tokenizer import Tokenizer, load_tokenizer

LETTERS = 24


@functools.cache
def model(size: int = LETTERS, positions: int = 256):
    """A random language model whose logits are far from flat."""
    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5}
    return GPT2LMHeadModel(GPT2Config(vocab_size=size, n_positions=positions, **shape)).eval()


def letters() -> Tokenizer:
    table = [bytes([97 + i]) for i in range(LETTERS)]
    return Tokenizer("letters", lambda text: [b - 97 for b in text.encode()], table)


def log_probs(lm, tokens):
    """What one forward pass over these tokens alone says about the next one."""
    size = lm.config.vocab_size
    if len(tokens) == 0:
        return np.full(size, -np.log(size))
    with torch.inference_mode():
        return lm(torch.tensor(np.asarray(tokens)[None])).logits[0, -1].log_softmax(0).numpy()


def seen(tokens, window):
    """The grid's rule: from the beginning of the cell before that of the last token."""
    return tokens[max(0, ((len(tokens) - 1) // window - 1) * window) :]


@pytest.fixture
def ids(rng):
    return np.tile(rng.integers(0, LETTERS, 15), 5)


def test_distances_are_those_of_the_definition(rng):
    a, b = (np.log(rng.dirichlet(np.ones(9), n)).astype(np.float32) for n in (3, 4))
    half_kl, half_js = (f(torch.from_numpy(a), torch.from_numpy(b)) for f in (symmetric_kl, jsd))
    for i, x in enumerate(np.exp(a.astype(float))):
        for j, y in enumerate(np.exp(b.astype(float))):
            m = (x + y) / 2
            kl = [(u * np.log(u / v)).sum() for u, v in ((x, y), (y, x), (x, m), (y, m))]
            assert half_kl[i, j].item() == pytest.approx((kl[0] + kl[1]) / 2, rel=1e-4)
            assert half_js[i, j].item() == pytest.approx((kl[2] + kl[3]) / 2, rel=1e-4)


def test_jsd_is_only_by_name_and_with_a_temperature():
    """Known error: exp(-JSD) lies in [0.5, 1] and is nearly flat."""
    assert TeacherMetric(model(), letters()).distance == "symmetric_kl"
    with pytest.raises(InputError, match="temperature"):
        TeacherMetric(model(), letters(), "jsd")
    with pytest.raises(InputError, match="neither"):
        TeacherMetric(model(), letters(), "euclid")


@pytest.mark.parametrize("pieces", [1, 4, 70])
def test_own_tokens_are_read_from_a_fixed_grid(ids, pieces):
    metric = TeacherMetric(model(), letters(), window=8)
    stream = metric.stream(letters())
    states = np.concatenate([stream.push(part) for part in np.array_split(ids, pieces)])
    for t, state in enumerate(states):
        assert state == pytest.approx(log_probs(model(), seen(ids[: t + 1], 8)), abs=1e-4)


def test_no_position_sees_less_than_a_window(ids):
    """Known error: the context was reset every 64 words, so that positions after it saw little."""
    metric = TeacherMetric(model(), letters(), window=8)
    before = metric.stream(letters()).push(ids)
    for t in range(8, len(ids)):
        changed = ids.copy()
        changed[t - 7] = (changed[t - 7] + 1) % LETTERS
        after = metric.stream(letters()).push(changed)
        assert np.abs(after[t] - before[t]).max() > 1e-4


def byte_tokenizer() -> Tokenizer:
    return Tokenizer("bytes", lambda text: list(text.encode()), [bytes([i]) for i in range(256)])


@pytest.mark.parametrize("pieces", [1, 9, 200])
def test_other_tokens_are_read_through_the_prefix_text(pieces):
    """Every prefix tokenised anew by the teacher's tokenizer; texts are cut as they grow."""
    tokenizer, words = load_tokenizer(), ["naïve", " running", "n't ", " 漢字", "  ", "\n", " it's"]
    lm = model(tokenizer.vocab_size)
    text = "".join(np.random.default_rng(3).choice(words, 80).tolist())
    pushed = byte_tokenizer().encode(text)
    ends = byte_tokenizer().text_and_ends(pushed)[1]
    stream = TeacherMetric(lm, tokenizer, window=8).stream(byte_tokenizer())
    states = np.concatenate([stream.push(part) for part in np.array_split(pushed, pieces)])
    assert len(stream._text) < len(text) / 2 or pieces == 1  # flat memory
    for t in range(0, len(pushed), 7):
        expected = log_probs(lm, seen(tokenizer.encode(text[: ends[t]]), 8))
        assert np.abs(states[t] - expected).max() < 1e-4


def test_any_tokenizer_can_be_a_teacher_s(ids):
    """Not byte-level: each prefix is encoded anew and has a full window of its own."""
    table = [bytes([97 + i, 97 + j]) for i in range(LETTERS) for j in range(LETTERS)]
    pairs = Tokenizer("pairs", lambda text: [], table)
    pushed = ids[:30:2] * LETTERS + ids[1:30:2]
    metric = TeacherMetric(model(), letters(), window=8)
    stream = metric.stream(pairs)
    states = np.concatenate([stream.push(part) for part in np.array_split(pushed, 4)])
    for t, state in enumerate(states):
        end = 2 * t + 2
        assert state == pytest.approx(log_probs(model(), ids[max(0, end - 8) : end]), abs=1e-4)
    fuzzy = FuzzyInduction(metric, pairs)
    fuzzy.extend(pushed)
    assert fuzzy.counts()[1].sum() > 0


def test_a_copied_stream_goes_on_alone(ids):
    fuzzy = FuzzyInduction(TeacherMetric(model(), letters(), window=8), letters())
    fuzzy.extend(ids[:30])
    other = fuzzy.copy()
    other.extend(ids[40:60])
    fuzzy.extend(ids[30:40])
    fresh = FuzzyInduction(TeacherMetric(model(), letters(), window=8), letters())
    fresh.extend(ids[:40])
    assert fuzzy.counts()[1] == pytest.approx(fresh.counts()[1], rel=1e-4)


def test_windows_end_with_the_model_s_positions():
    metric = TeacherMetric(model(positions=40), letters(), window=64)
    assert metric.window == 20
    ids = np.arange(100) % LETTERS
    assert metric.stream(letters()).push(ids).shape == (100, LETTERS)


def test_a_teacher_with_another_vocabulary_is_refused():
    with pytest.raises(InputError, match="pass the teacher's own tokenizer"):
        TeacherMetric(model(10), letters())
