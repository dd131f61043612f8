"""Language models: loading and scoring."""

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from gim.causal.model import load_causal, score_causal
from gim.errors import InputError
from tests.helpers.random_models import SIZE, model


@pytest.fixture
def ids(rng):
    return np.tile(rng.integers(0, SIZE, 15), 5)


@pytest.mark.parametrize("stride", [1, 16])
def test_scores_of_a_language_model_are_those_of_single_calls(ids, stride):
    """Known error: the first tokens of a long context were kept, not the last."""
    lm, context = model("gpt2"), 20
    targets = np.full(len(ids), -1)
    targets[context - 1 : -1 : stride] = ids[context::stride][
        : len(targets[context - 1 : -1 : stride])
    ]
    scores = score_causal(lm, ids, targets, context)
    for t in np.flatnonzero(targets >= 0):
        least, most = (context, context) if stride > 1 else (10, context)
        possible = []
        for length in range(least, most + 1):
            with torch.inference_mode():
                row = lm(torch.tensor(ids[None, t + 1 - length : t + 1])).logits[0, -1].softmax(0)
            possible.append((int(row.argmax()), pytest.approx(float(row[targets[t]]), rel=1e-4)))
        assert (scores.top[t], scores.p_next[t]) in possible


def test_an_unavailable_model_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        load_causal(str(tmp_path))


SMALL = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_a_model_that_looks_ahead_is_refused(tmp_path, kind):
    """A model for masked words loads as a causal one; as a decoder it is one."""
    config = AutoConfig.for_model(kind, **SMALL)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "ahead")
    with pytest.raises(InputError, match=r"ahead': it looks ahead .* left to right"):
        load_causal(str(tmp_path / "ahead"))
    config.is_decoder = True
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "decoder")
    assert load_causal(str(tmp_path / "decoder")).config.is_decoder


@pytest.mark.parametrize("kind", ["gpt2", "llama", "mixtral", "opt", "gpt_neox", "mamba"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_models_that_read_from_left_to_right_are_taken(tmp_path, kind, dtype):
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SMALL, num_key_value_heads=2)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    assert load_causal(str(tmp_path), dtype=dtype).dtype == dtype
