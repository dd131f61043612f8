"""Language models whose configurations name vocabulary and layers in ways of their own."""

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    BartConfig,
    Gemma3Config,
    GPT2Config,
    MambaConfig,
    OPTConfig,
    RobertaConfig,
    WhisperConfig,
    XLNetConfig,
)

from gim.causal.heads import head_scores
from gim.causal.hidden import read_words
from gim.causal.model import load_causal, read_log_probs, score_causal
from gim.causal.teacher import TeacherMetric
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words

WORDS = ["it", "was", "unbelievably", "cold", "at", "nine", "o'clock", "so", "we", "walked", "down"]
VOCABULARY = 16_384
WIDTH = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
DECODER = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 3}
for _part in ("encoder", "decoder"):
    DECODER |= {f"{_part}_ffn_dim": 16, f"{_part}_attention_heads": 2}


def configuration(name):
    known = {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if name == "opt-350m":  # embeddings, and the last layer, are narrower than the blocks
        return OPTConfig(**known, **WIDTH, ffn_dim=16, word_embed_proj_dim=8, init_std=0.3,
                         do_layer_norm_before=False, max_position_embeddings=64)  # fmt: skip
    if name == "gemma3":  # sees as well: what is about text stands in a part of its own
        text = {**known, **WIDTH, "num_key_value_heads": 1, "head_dim": 8, "intermediate_size": 16,
                "max_position_embeddings": 64, "initializer_range": 0.3}  # fmt: skip
        return Gemma3Config(text_config=text, vision_config={**WIDTH, "intermediate_size": 16})
    if name == "bart":  # the layers of its encoder are not those that it has
        return BartConfig(**known, **DECODER, max_position_embeddings=64, init_std=0.3)
    if name == "whisper":
        return WhisperConfig(**known, **DECODER, max_target_positions=20, init_std=0.3)
    if name == "roberta":  # two rows of its table of positions are nobody's
        return RobertaConfig(**known | {"pad_token_id": 1}, **WIDTH, intermediate_size=16,
                             is_decoder=True, max_position_embeddings=20,
                             initializer_range=0.3)  # fmt: skip
    if name == "mamba":  # no positions, no attention
        return MambaConfig(**known, hidden_size=16, num_hidden_layers=2, state_size=4)
    assert name == "xlnet"  # its positions are said to be -1
    return XLNetConfig(vocab_size=VOCABULARY, d_model=16, n_layer=1, n_head=2, d_inner=16,
                       initializer_range=0.3)  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """A random model of a kind, saved."""

    def save(name):
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(configuration(name)).save_pretrained(tmp_path / name)
        return str(tmp_path / name)

    return save


WIDTHS = {"opt-350m": [16, 16, 8], "gemma3": [16] * 3, "bart": [16] * 4, "whisper": [16] * 4,
          "roberta": [16] * 3, "mamba": [16] * 3}  # fmt: skip
POSITIONS = {"whisper": 20, "roberta": 18}


@pytest.mark.parametrize("name", WIDTHS)
def test_states_are_those_of_the_model(saved, name):
    model, tokenizer = load_causal(saved(name)), load_tokenizer()
    layers = list(range(len(WIDTHS[name])))
    states = read_words(model, tokenizer, WORDS, layers, context=2).states
    assert states.shape == (len(WORDS), sum(WIDTHS[name]))
    ids, last = tokens_of_words(tokenizer, WORDS)
    i = len(WORDS) - 1
    window = torch.tensor(ids[last[i - 3] + 1 : last[i] + 1])[None]
    with torch.inference_mode():
        found = model.base_model(window, output_hidden_states=True, use_cache=False).hidden_states
    expected = torch.cat([state[0, -1] for state in found])
    np.testing.assert_allclose(states[i], expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match=rf"0 \(embeddings\) to {layers[-1]}"):
        read_words(model, tokenizer, WORDS, [len(layers)])


@pytest.mark.parametrize("name", WIDTHS)
def test_predictions_are_those_of_the_model(saved, name):
    model, ids = load_causal(saved(name)), load_tokenizer().encode(" ".join(WORDS))[:12]
    found = read_log_probs(model, [ids, ids[:5]], [np.array([3, 11]), np.array([4])])
    with torch.inference_mode():
        logits = model(torch.tensor(ids)[None], use_cache=False).logits[0]
    expected = logits[[3, 11, 4]].log_softmax(-1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    scores = score_causal(model, ids[:-1], ids[1:])
    np.testing.assert_array_equal(scores.top, logits.argmax(-1)[:-1])
    metric = TeacherMetric(model, load_tokenizer())
    assert metric.log_probs(ids, np.array([2])).shape[1] == VOCABULARY


@pytest.mark.parametrize("name", POSITIONS)
def test_texts_are_cut_to_the_positions_that_there_are(saved, name):
    model, tokenizer = load_causal(saved(name)), load_tokenizer()
    words = WORDS * 3
    states = read_words(model, tokenizer, words, [1]).states
    ids, last = tokens_of_words(tokenizer, words)
    window = torch.tensor(ids[last[-1] + 1 - POSITIONS[name] : last[-1] + 1])[None]
    with torch.inference_mode():
        out = model.base_model(window, output_hidden_states=True, use_cache=False)
    np.testing.assert_allclose(states[-1], out.hidden_states[1][0, -1], rtol=1e-3, atol=1e-4)


def test_a_model_that_says_no_positions_is_tried_for_looking_ahead(saved):
    with pytest.raises(InputError, match="looks ahead"):
        load_causal(saved("xlnet"))


def test_heads_without_a_path_to_the_logits_are_refused(saved):
    with pytest.raises(InputError, match="no direct path to the logits"):
        head_scores(load_causal(saved("opt-350m")), sequences=1, length=5)


def test_states_of_another_shape_are_refused():
    """As in models that carry several streams."""
    config = GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=VOCABULARY)
    model = AutoModelForCausalLM.from_config(config)
    forward = model.transformer.forward

    def streams(*arguments, **options):
        out = forward(*arguments, **options)
        out.hidden_states = tuple(state[:, :, None] for state in out.hidden_states)
        return out

    model.transformer.forward = streams
    with pytest.raises(InputError, match=r"gpt2 \(GPT2LMHeadModel\) gives no states of shape"):
        read_words(model, load_tokenizer(), WORDS, [1])
