"""Hidden states of language models per word, against one window at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gim.causal.hidden import read_words, word_windows
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words

WORDS = ["it", "was", "unbelievably", "cold", "at", "nine", "o'clock", "so", "we", "walked", "down"]
SMALL = {"vocab_size": 40_000, "initializer_range": 0.3}


def tiny_model(shape, positions=64):
    from transformers import GPT2Config, GPT2Model, LlamaConfig, LlamaModel

    torch.manual_seed(0)
    if shape == "gpt2":
        config = GPT2Config(**SMALL, n_positions=positions, n_embd=8, n_layer=2, n_head=2)
        model = GPT2Model(config)
    else:
        sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2}
        config = LlamaConfig(
            **SMALL, **sizes, num_attention_heads=2, max_position_embeddings=positions
        )
        model = LlamaModel(config)
    return model.eval()


def one_at_a_time(model, tokenizer, words, layers, context, bos, longest, step=1, pool="last"):
    """Every word's window tokenised, cut and run on its own."""
    rows = []
    for i in range(len(words)):
        begin = 0 if context is None else max(0, i - context) // step * step
        before = tokenizer.encode(" ".join(words[:begin])) if begin else []
        ids = tokenizer.encode(" ".join(words[: i + 1]))[len(before) :]
        prefix = [] if bos is None else [bos]
        ids = [*prefix, *ids[-(longest - len(prefix)) :].tolist()]
        with torch.inference_mode():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        n_own = 1 if pool == "last" else len(ids_of(tokenizer, words, i))
        own = [states[layer][0, -n_own:].mean(0) for layer in layers]
        rows.append(torch.cat(own).numpy())
    return np.stack(rows)


def ids_of(tokenizer, words, i):
    """Tokens of one word."""
    before = tokenizer.encode(" ".join(words[:i])) if i else []
    return tokenizer.encode(" ".join(words[: i + 1]))[len(before) :]


@pytest.mark.parametrize("shape", ["gpt2", "llama"])
@pytest.mark.parametrize(("context", "positions"), [(0, 64), (3, 64), (None, 64), (None, 12)])
@pytest.mark.parametrize("bos", [None, 1])
def test_states_are_those_of_single_windows(shape, context, positions, bos):
    model, tokenizer = tiny_model(shape, positions), load_tokenizer()
    layers = [0, 1, 2]
    states = read_words(model, tokenizer, WORDS, layers, context, bos).states
    expected = one_at_a_time(model, tokenizer, WORDS, layers, context, bos, positions)
    np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("context", "step"), [(0, 3), (2, 2), (3, 5), (None, 4)])
def test_windows_at_steps_give_states_of_single_windows_of_last_tokens_and_means(context, step):
    model, tokenizer = tiny_model("llama"), load_tokenizer()
    states = read_words(
        model, tokenizer, WORDS, [1, 2], context, 1, step=step, pools=("last", "mean")
    ).states
    expected = [
        one_at_a_time(model, tokenizer, WORDS, [1, 2], context, 1, 64, step, pool)
        for pool in ("last", "mean")
    ]
    assert any(len(ids_of(tokenizer, WORDS, i)) > 1 for i in range(len(WORDS)))
    np.testing.assert_allclose(states, np.hstack(expected), rtol=1e-4, atol=1e-5)


@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=30),
    context=st.none() | st.integers(0, 9),
    step=st.integers(1, 12),
    longest=st.none() | st.integers(4, 40),
)
def test_every_word_sees_its_context_and_no_window_is_too_long(lengths, context, step, longest):
    last = np.cumsum(lengths) - 1
    first, seen = np.append(0, last[:-1] + 1), []
    for window in word_windows(last, context, longest, step):
        assert longest is None or window.end - window.begin <= longest
        for word in window.words:
            assert window.begin <= last[word] < window.end
            complete = int((first[:word] >= window.begin).sum())
            if context is None:
                assert longest is not None or complete == word
            else:
                assert complete <= context + step - 1
                assert complete >= min(word, context) or longest is not None
            seen.append(word)
    assert sorted(seen) == list(range(len(lengths)))


def test_what_the_model_cannot_hold_is_read_in_steps_as_well():
    last = np.arange(100)
    assert len(word_windows(last, None, 20)) == 81
    windows = word_windows(last, None, 20, 10)
    assert [(w.begin, w.end) for w in windows] == [(b, b + 20) for b in range(0, 81, 10)]


def test_sentencepiece_words_are_aligned(shared):
    model, tokenizer = tiny_model("llama"), load_tokenizer(shared / "tokenizers" / "llama2")
    states = read_words(model, tokenizer, WORDS, [2], 4, 1).states
    ids, last = tokens_of_words(tokenizer, WORDS)
    first = np.append(0, last[:-1] + 1)
    for i in range(len(WORDS)):
        window = [1, *ids[first[max(0, i - 4)] : last[i] + 1].tolist()]
        with torch.inference_mode():
            expected = model(torch.tensor([window])).last_hidden_state[0, -1]
        np.testing.assert_allclose(states[i], expected, rtol=1e-4, atol=1e-5)


def test_only_growing_contexts_share_a_window():
    last = np.array([0, 2, 3, 5, 6])
    windows = word_windows(last, 1, None)
    assert [(w.begin, w.end, w.words) for w in windows] == [
        (0, 3, (0, 1)), (1, 4, (2,)), (3, 6, (3,)), (4, 7, (4,)),
    ]  # fmt: skip
    assert [w.words for w in word_windows(last, None, None)] == [(0, 1, 2, 3, 4)]
    assert [(w.begin, w.words) for w in word_windows(last, None, 6)] == [
        (0, (0, 1, 2, 3)),
        (1, (4,)),
    ]


def test_a_layer_that_does_not_exist_is_named():
    with pytest.raises(InputError, match=r"layers \[3\].*0 \(embeddings\) to 2"):
        read_words(tiny_model("gpt2"), load_tokenizer(), WORDS, [0, 3])


def test_a_model_without_logits_tells_no_surprise():
    found = read_words(tiny_model("gpt2"), load_tokenizer(), WORDS, [1], 3, None)
    assert np.isnan(found.surprise).all() and np.isfinite(found.states).all()
