"""Induction heads."""

import copy

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from gim.causal.ablation import ablated, best_heads, mean_outputs, random_heads, token_losses
from gim.causal.heads import head_scores, text_scores
from gim.causal.heads_report import write_heads
from gim.causal.overlap import text_overlap
from gim.errors import InputError
from tests.helpers.random_models import model


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
    pieces = [np.tile(rng.permutation(32)[:n], 2) for n in (7, 9, 11, 13)]
    seen = text_overlap(lm, pieces)
    assert seen["exact"].argmax() == table["prefix_matching"].argmax()
    assert seen["exact"].max() > max(0.6, 2 * seen["exact_chance"].max())
    on_text = text_scores(lm, pieces)
    assert on_text["text_matching"].max() > 0.6
    table[["exact", "exact_chance"]] = seen
    write_heads(table, tmp_path / "heads", {"model": "test"})
    names = sorted(p.name for p in (tmp_path / "heads").iterdir())
    assert names == ["heads.json", "heads.png", "heads.tsv"]


def test_taking_out_the_heads_that_copy_costs_what_copying_gave(trained, rng):
    lm, _ = trained
    table = head_scores(lm, sequences=8, length=13)
    pieces = [np.tile(rng.permutation(32)[:13], 2) for _ in range(8)]
    means, chosen = mean_outputs(lm, pieces), best_heads(table, 1)

    def loss_without(heads):
        with ablated(lm, heads, means):
            return np.mean([loss[13:] for loss in token_losses(lm, pieces)])

    whole, copying = loss_without([]), loss_without(chosen)
    other = loss_without(random_heads(table, chosen, 0))  # there is one
    # How much the other head copies, too, is a matter of the training, which no two processors do
    # alike: 0.45 less was measured on one, more than 0.5 on another.
    assert copying > whole + 1 and copying > other + 0.3


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


def test_matching_on_text_is_attention_on_what_followed_the_matches():
    lm, pieces = model("gpt2"), [np.array([1, 2, 3, 1, 2, 5, 9, 1, 2]), np.array([4, 7, 4, 4])]
    # After these tokens, the places that followed the longest match, by hand.
    follow = [{3: [1], 4: [2], 7: [1, 4], 8: [2, 5]}, {2: [1], 3: [1, 3]}]
    sums, n = np.zeros(4), 0
    for piece, known in zip(pieces, follow, strict=True):
        with torch.inference_mode():
            lm.set_attn_implementation("eager")
            looks = torch.cat(lm(torch.tensor(piece)[None], output_attentions=True).attentions)
        looks = looks.reshape(4, len(piece), len(piece)).numpy()
        for row, places in known.items():
            sums += looks[:, row, places].sum(1)
            n += 1
    table = text_scores(lm, pieces)
    assert np.allclose(table["text_matching"], sums / n, atol=1e-6)
    assert table["text_copying"].between(0, 1).all()
    assert table[["layer", "head"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    with pytest.raises(InputError, match="repeats nothing"):
        text_scores(lm, [np.arange(9)])
