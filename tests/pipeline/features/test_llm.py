"""Hidden states of language models as feature spaces: files of states, bands, memories."""

import numpy as np
import pandas as pd
import pytest
import torch

from gim.causal.hidden import read_words
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words
from pipeline.bands.compute import stimulus_features
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.config.load import complete
from pipeline.config.readings import readings
from pipeline.config.results import Results
from pipeline.core.errors import ProblemError
from pipeline.features import llm, static
from pipeline.recall.contexts import ContextFile, write_contexts
from pipeline.states import compute
from pipeline.states.compute import write_states
from pipeline.states.file import StatesFile, as_kept
from pipeline.states.model import load_model
from pipeline.states.reading import Reading
from pipeline.states.resume import DoneStories
from tests.gim.causal.test_hidden import SMALL, WORDS
from tests.helpers.configs import BASIC
from tests.helpers.responses import write_responses
from tests.helpers.stories import random_story


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


@pytest.fixture
def write(made, tmp_path):
    """Writes a file of states, of two layers and both pools."""
    dataset, words, options = made

    def write(name, stories=("a", "b"), **changed):
        path = tmp_path / name
        reading = Reading.of(options.own | changed)
        pools = ["last", "mean"]
        write_states(
            dataset,
            words,
            stories=stories,
            reading=reading,
            layers=[0, 1],
            pools=pools,
            output=path,
        )
        return StatesFile(path)

    return write


def test_interrupted_work_resumes_after_the_last_story(write, tmp_path, monkeypatch):
    whole, read, done = write("whole.h5"), compute._read, []

    def failing(story, *rest):
        done.append(story.name)
        if done == ["a", "b"]:
            raise KeyboardInterrupt
        return read(story, *rest)

    monkeypatch.setattr(compute, "_read", failing)
    with pytest.raises(KeyboardInterrupt):
        write("resumed.h5")
    assert not (tmp_path / "resumed.h5").exists()
    resumed = write("resumed.h5")
    assert done == ["a", "b", "b"]
    assert resumed.path.read_bytes() == whole.path.read_bytes()
    assert sorted(p.name for p in tmp_path.glob("*.parts")) == []


def test_parts_of_other_options_are_not_used(tmp_path):
    s = random_story(np.random.default_rng(0), 12)
    for value in (1, 2):
        found = DoneStories(tmp_path / "x.h5", {"n": value}).get(
            s, lambda _, n=value: {"x": np.full(3, n)}
        )
        assert (found["x"] == value).all()


def test_bands_of_a_shared_pass_are_those_computed_alone(made, write, tmp_path):
    dataset, words, options = made
    states = write("states.h5")
    for changed in ({"layers": 1}, {"layers": [1, 0], "pool": "mean"}):
        alone = BandOptions("llm", own={**options.own, **changed})
        shared = BandOptions("llm", own={**alone.own, "states": str(states.path), "model": "gone"})
        for name, own in (("alone", alone), ("shared", shared)):
            out = tmp_path / f"{name}.h5"
            stimulus_features(dataset, words, stories=["a", "b"], options=own, output=out)
        assert (tmp_path / "alone.h5").read_bytes() == (tmp_path / "shared.h5").read_bytes()
    with pytest.raises(ProblemError, match=r"no last states of layers \[2\]"):
        states.read("a", [2], "last")


def test_states_on_disk_are_within_half_a_thousandth(made, write):
    _, words, options = made
    table = pd.read_parquet(words)
    exact = read_words(
        *load_model(options.own["model"], None)[:2],
        table.loc[table["story"] == "a", "word"].tolist(), [0, 1], 3, 0, pools=("last", "mean"),
    ).states  # fmt: skip
    states = write("states.h5")
    kept = np.hstack([states.read("a", [0, 1], pool) for pool in ("last", "mean")])
    assert (np.abs(kept - exact) <= np.abs(exact) * 2**-11 + 2**-24).all()
    assert np.isfinite(as_kept(np.array([1e9, -1e9]))).all()


@pytest.mark.parametrize("bos", [0, None])
@pytest.mark.parametrize("step", [1, 3])
def test_surprise_is_that_of_the_models_distributions(made, bos, step):
    model, tokenizer, _ = load_model(made[2].own["model"], None)
    ids, last = tokens_of_words(tokenizer, WORDS)
    context, first = 4, np.append(0, last[:-1] + 1)
    found = read_words(model, tokenizer, WORDS, [0], context, bos, step=step).surprise
    for i, word in enumerate(WORDS):
        begin = first[max(0, i - context) // step * step]
        prefix, own = [] if bos is None else [bos], ids[first[i] : last[i] + 1].tolist()
        tokens = prefix + ids[begin : last[i] + 1].tolist()
        with torch.inference_mode():
            rows = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
        at = range(len(tokens) - len(own), len(tokens))
        each = [-float(rows[t - 1, tokens[t]]) if t else np.log(rows.shape[1]) for t in at]
        assert found[i] == pytest.approx(sum(each), rel=1e-4), word


def test_bits_a_byte_of_a_story_are_kept(made, write):
    table = pd.read_parquet(made[1])
    own = table.loc[table["story"] == "b", "word"].tolist()
    model, tokenizer, bos = load_model(made[2].own["model"], None)
    nats = read_words(model, tokenizer, own, [0], 3, bos).surprise.sum()
    bits = write("bits.h5").bits_per_byte()
    assert bits["b"] == pytest.approx(nats / np.log(2) / len(" ".join(own).encode()), rel=1e-5)
    assert set(bits) == {"a", "b"}


def test_bands_that_read_alike_share_a_pass(language):
    model = {"kind": "llm", "model": language["gimteacher"]["model"]}
    bands = {
        "one": {**model, "layers": 0},
        "two": {**model, "layers": [0, 1], "pool": "mean"},
        "near": {**model, "layers": 1, "context": 2},
        "later": {**model, "layers": 2},
        "unused": {**model, "layers": 7, "context": 9},
    }
    models = {**BASIC["models"], "m": ["one", "two", "near"]}
    config = complete({**BASIC, "features": {**BASIC["features"], **bands}, "models": models})
    far, near = readings(config).values()
    assert far.bands == ["one", "two", "later"]
    assert (far.layers, far.pools) == ({0, 1, 2}, {"last", "mean"})
    assert (near.bands, near.reading.context) == (["near"], 2)
    files = Results(config)
    assert (
        files.resources("one")
        == files.resources("two")
        == {"states": files.states(far.reading.key)}
    )
    assert (
        files.resources("near") != files.resources("one") and files.resources("eng1000")["eng1000"]
    )


def test_a_memory_is_searched_by_states_of_the_shared_pass(language):
    model = {"model": language["gimteacher"]["model"], "context": None, "step": 400}
    bands = {
        "black": {"kind": "llm", **model, "layers": [0, 2]},
        "memory": {"kind": "passages", **model, "layers": 1, "pooled": 3},
        "meaning": {"of": "memory"},
        "own": {"kind": "passages", "encoder": language["gim"]["encoder"]},
    }
    models = {**BASIC["models"], "m": ["black"], "n": ["meaning"], "o": ["own"]}
    config = complete({**BASIC, "features": {**BASIC["features"], **bands}, "models": models})
    (shared,) = readings(config).values()
    assert (shared.bands, shared.layers) == (["black", "memory"], {0, 1, 2})
    files = Results(config)
    assert files.resources("memory") == {"states": files.states(shared.reading.key)}
    assert files.resources("own") == {}


@pytest.mark.parametrize("layers, pool, pooled", [(1, "last", 1), ([1, 0], "mean", 4)])
def test_contexts_of_a_shared_pass_are_those_read_anew(made, write, tmp_path, layers, pool, pooled):
    dataset, words, options = made
    given = {key: options.own[key] for key in ("model", "context")}
    own = kind_of("passages").options | given | {"layers": layers, "pool": pool, "pooled": pooled}
    shared = own | {"states": str(write("states.h5").path)}
    found = []
    for name, each in (("anew", own), ("shared", shared)):
        write_contexts(
            dataset, words, stories=["a", "b"], options=BandOptions("passages", own=each),
            seed=0, output=tmp_path / f"{name}.h5",
        )  # fmt: skip
        found.append(ContextFile(tmp_path / f"{name}.h5").read(["a", "b"]))
    for story in ("a", "b"):
        anew, kept = (contexts[story] for contexts in found)
        assert kept.n == anew.n > 0 and kept.there == anew.there
        np.testing.assert_allclose(kept.states, anew.states, rtol=1e-3, atol=1e-3)


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
    model, tokenizer, _ = load_model(options["model"], None)
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
        llm.compute(s, {**llm.KIND.options, **options, "layers": 1, "context": None})
    with pytest.raises(InputError, match="looks ahead"):
        llm.KIND.origin(options)


@pytest.mark.smollm2
def test_states_of_the_real_model_in_bfloat16_are_those_of_float32(smollm2_model):
    """Measured on 400 words of a story: 1.3 % of the states at most, columns correlate at 0.998."""
    text = "So I was in the kitchen that morning and my mother called to say the dog had come home "
    words, layers = (text + "and we all ran out of the house to see him").split(), [0, 6, 18, 30]
    found = {}
    for dtype in ("float32", "bfloat16"):
        model, tokenizer, bos = load_model(smollm2_model, dtype)
        found[dtype] = read_words(model, tokenizer, words, layers, None, bos)
    exact, fast = (as_kept(found[d].states).astype(float) for d in ("float32", "bfloat16"))
    for layer in range(len(layers)):
        own = slice(576 * layer, 576 * (layer + 1))
        error = np.linalg.norm(fast[:, own] - exact[:, own]) / np.linalg.norm(exact[:, own])
        assert error < 0.03, layers[layer]
    np.testing.assert_allclose(
        found["bfloat16"].surprise.sum(), found["float32"].surprise.sum(), rtol=0.02
    )
    assert found["float32"].surprise.sum() / len(words) < 6  # nats a word; chance is 11 a token
