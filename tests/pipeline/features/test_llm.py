"""Hidden states of language models per word, against one window at a time."""

import numpy as np
import pandas as pd
import pytest
import torch

from gim.causal.hidden import hidden_states, word_windows
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words
from pipeline.bands.compute import stimulus_features
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.bands.resume import DoneStories
from pipeline.core.errors import ProblemError
from pipeline.features import llm, static
from tests.helpers.responses import write_responses
from tests.helpers.stories import random_story

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


def one_at_a_time(model, tokenizer, words, layers, context, bos, longest):
    """Every word's window tokenised, cut and run on its own."""
    rows = []
    for i in range(len(words)):
        begin = 0 if context is None else max(0, i - context)
        before = tokenizer.encode(" ".join(words[:begin])) if begin else []
        ids = tokenizer.encode(" ".join(words[: i + 1]))[len(before) :]
        prefix = [] if bos is None else [bos]
        ids = [*prefix, *ids[-(longest - len(prefix)) :].tolist()]
        with torch.inference_mode():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        rows.append(torch.cat([states[layer][0, -1] for layer in layers]).numpy())
    return np.stack(rows)


@pytest.mark.parametrize("shape", ["gpt2", "llama"])
@pytest.mark.parametrize(("context", "positions"), [(0, 64), (3, 64), (None, 64), (None, 12)])
@pytest.mark.parametrize("bos", [None, 1])
def test_states_are_those_of_single_windows(shape, context, positions, bos):
    model, tokenizer = tiny_model(shape, positions), load_tokenizer()
    layers = [0, 1, 2]
    states = hidden_states(model, tokenizer, WORDS, layers, context, bos)
    expected = one_at_a_time(model, tokenizer, WORDS, layers, context, bos, positions)
    np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5)


def test_sentencepiece_words_are_aligned(shared):
    model, tokenizer = tiny_model("llama"), load_tokenizer(shared / "tokenizers" / "llama2")
    states = hidden_states(model, tokenizer, WORDS, [2], 4, 1)
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
        hidden_states(tiny_model("gpt2"), load_tokenizer(), WORDS, [0, 3])


# --- as feature spaces


@pytest.fixture
def made(tmp_path, language):
    """Dataset, words, and options of the llm."""
    dataset = write_responses(tmp_path, {"a": 12, "b": 12})
    rng = np.random.default_rng(0)
    words = [random_story(rng, 12, name=s).words.assign(story=s) for s in ("a", "b")]
    pd.concat(words).to_parquet(tmp_path / "words.parquet")
    own = {**kind_of("llm").options, "model": language["gimteacher"]["model"]}
    options = BandOptions("llm", own=own | {"layers": [0, 1], "context": 3})
    return dataset, tmp_path / "words.parquet", options


def test_interrupted_work_resumes_after_the_last_story(made, tmp_path, monkeypatch):
    dataset, words, options = made
    whole, resumed = tmp_path / "whole.h5", tmp_path / "resumed.h5"
    stimulus_features(dataset, words, stories=["a", "b"], options=options, output=whole)
    computed, compute = [], llm.compute

    def failing(story, options):
        computed.append(story.name)
        if computed == ["a", "b"]:
            raise KeyboardInterrupt
        return compute(story, options)

    monkeypatch.setitem(vars(kind_of("llm")), "compute", failing)
    with pytest.raises(KeyboardInterrupt):
        stimulus_features(dataset, words, stories=["a", "b"], options=options, output=resumed)
    assert not resumed.exists()
    stimulus_features(dataset, words, stories=["a", "b"], options=options, output=resumed)
    assert computed == ["a", "b", "b"]
    assert resumed.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.glob("*.parts")) == []


def test_parts_of_other_options_are_not_used(tmp_path):
    s = random_story(np.random.default_rng(0), 12)
    for value in (1, 2):
        values = DoneStories(tmp_path / "x.h5", BandOptions("llm", own={"n": value})).get(
            s, lambda _, o: np.full(3, o["n"])
        )
        assert (values == value).all()


def test_a_band_is_called_llama_only_with_its_weights(made, tmp_path):
    dataset, words, options = made
    with pytest.raises(ProblemError, match=r"called llama, but .* is gpt2"):
        stimulus_features(
            dataset, words, stories=["a"], options=options, output=tmp_path / "llama2.h5"
        )
    assert not (tmp_path / "llama2.h5").exists()


def test_static_vectors_are_means_of_the_models_embeddings(made):
    options = made[2].own
    s = random_story(np.random.default_rng(0), 12)
    values = static.compute(s, {**options, "downsample": "sum"})
    model, tokenizer, _ = llm.load_model(options["model"], None)
    table = model.get_input_embeddings().weight.detach().numpy()
    words = s.words["word"].tolist()[15:18]  # of the first kept row
    expected = sum(table[tokenizer.encode(f" {word}")].mean(axis=0) for word in words)
    np.testing.assert_allclose(values[0], expected, rtol=1e-4, atol=1e-5)


def test_of_a_model_that_looks_ahead_only_the_embeddings_are_read(tmp_path):
    from transformers import BertConfig, BertLMHeadModel

    shape = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
    torch.manual_seed(0)
    model = BertLMHeadModel(BertConfig(**SMALL, **shape, num_hidden_layers=2))
    model.save_pretrained(tmp_path)
    load_tokenizer().fast.save(str(tmp_path / "tokenizer.json"))
    s = random_story(np.random.default_rng(0), 12)
    options = {"model": str(tmp_path), "dtype": None, "downsample": "sum"}
    assert static.compute(s, options).shape[1] == 8
    assert static.KIND.origin(options)["model_type"] == "bert"
    with pytest.raises(InputError, match="looks ahead"):
        llm.compute(s, {**options, "layers": 1, "context": None, "bos": False})
    with pytest.raises(InputError, match="looks ahead"):
        llm.KIND.origin(options)
