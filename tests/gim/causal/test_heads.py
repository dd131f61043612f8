"""Induction heads."""

import copy

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from gim.causal.heads import head_scores, in_context_score, match_agreement, write_heads
from gim.errors import InputError
from tests.helpers.random_models import SIZE, model


@pytest.fixture(scope="module")
def trained():
    """A two-layer attention model trained on repeated random tokens until its heads form."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32, hidden_size=64, intermediate_size=8, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=64, bos_token_id=None, eos_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": 100.0},
    )  # fmt: skip
    lm, steps = LlamaForCausalLM(config), 900
    for layer in lm.model.layers:  # attention only
        layer.mlp.forward = torch.zeros_like
    optimizer = torch.optim.AdamW(lm.parameters(), 5e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 5e-3, total_steps=steps + 1, pct_start=0.1
    )
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        length = int(torch.randint(6, 14, (1,), generator=generator))
        half = torch.rand(32, 32, generator=generator).argsort(1)[:, :length]
        logits = lm(half.repeat(1, 2)).logits[:, length:-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), half[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if loss < 0.1:
            break
    return lm.eval(), float(loss.detach())


def test_heads_of_a_trained_model_are_found(trained, tmp_path, rng):
    lm, loss = trained
    assert loss < 0.2, "the heads did not form"
    table = head_scores(lm, sequences=8, length=13)
    best = table.loc[table["prefix_matching"].idxmax()]
    assert best["prefix_matching"] > 0.6 and best["layer"] == 1
    assert best["copying"] > 0.5
    first = table[table["layer"] == 0]["prefix_matching"]
    assert first.max() < 0.3
    half = rng.permutation(32)[:13]
    agreement = match_agreement(lm, np.tile(half, 2))
    assert agreement.argmax() == table["prefix_matching"].argmax()
    assert agreement.max() > 0.6
    table["gim_agreement"] = agreement
    write_heads(table, tmp_path / "heads", {"model": "test"})
    names = sorted(p.name for p in (tmp_path / "heads").iterdir())
    assert names == ["heads.json", "heads.png", "heads.tsv"]


def test_random_heads_score_by_chance():
    """A head that attends evenly puts about 1/t on any one token."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=200, n_positions=100, n_embd=32, n_layer=1, n_head=2)
    table = head_scores(GPT2LMHeadModel(config).eval(), sequences=4, length=50)
    assert table["prefix_matching"].between(1 / 120, 1 / 40).all()
    assert (table["copying"] < 0.15).all()


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_copying_sees_the_final_norm(kind):
    """Weights moved from the final norm into the output embedding change no logit and no score."""
    lm = copy.deepcopy(model(kind))
    lm.set_output_embeddings(copy.deepcopy(lm.get_output_embeddings()))
    norm = lm.transformer.ln_f if kind == "gpt2" else lm.model.norm
    head, ids = lm.get_output_embeddings(), torch.arange(10)[None]
    head.weight = torch.nn.Parameter(head.weight.detach().clone())  # not tied to the input
    with torch.inference_mode():
        before = head_scores(lm, sequences=2, length=10), lm(ids).logits
        scale = torch.linspace(0.2, 3, norm.weight.shape[0])
        norm.weight.mul_(scale)
        head.weight.div_(scale)
        after = head_scores(lm, sequences=2, length=10), lm(ids).logits
    torch.testing.assert_close(before[1], after[1], atol=1e-4, rtol=1e-4)
    assert np.allclose(before[0], after[0], atol=1e-4)


def test_llama_heads_have_scores_too():
    table = head_scores(model("llama"), sequences=2, length=10)
    assert len(table) == 4 and table["prefix_matching"].between(0, 1).all()


def test_in_context_score_is_the_difference_of_two_losses():
    lm = model("llama", positions=600)
    ids = np.random.default_rng(0).integers(0, SIZE, 1100)
    with torch.inference_mode():
        losses = []
        for begin in (0, 501):
            part = torch.tensor(ids[begin : begin + 501])
            rows = lm(part[None]).logits[0].log_softmax(-1)
            losses.append(-rows[499, part[500]] + rows[49, part[50]])
    assert in_context_score(lm, ids) == pytest.approx(float(sum(losses) / 2), abs=1e-4)
    with pytest.raises(InputError, match="501 tokens"):
        in_context_score(lm, ids[:400])
