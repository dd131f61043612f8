"""Heads that are taken out are out, and nothing else is."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from gim.causal.ablation import (
    ablated,
    conditions,
    loss_summary,
    losses_without,
    mean_outputs,
    random_heads,
    token_losses,
)
from gim.causal.attention import projections, read_attention
from gim.errors import InputError
from tests.helpers.random_models import SIZE, model

SIZE_OF_HEAD = 8  # of the models of `tests.helpers.random_models`, which have 2 x 2 heads


def logits(lm, ids):
    with torch.inference_mode():
        return lm(torch.tensor(ids)[None]).logits[0]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("heads", [[(0, 1)], [(1, 0)], [(0, 0), (1, 0), (1, 1)]])
def test_without_a_head_is_without_its_columns_of_the_projection(rng, kind, heads):
    lm, ids = model(kind), rng.integers(0, SIZE, 30)
    before = logits(lm, ids)
    without = copy.deepcopy(lm)
    for layer, head in heads:
        part = slice(head * SIZE_OF_HEAD, (head + 1) * SIZE_OF_HEAD)
        weight = projections(without)[layer].weight.data
        if kind == "gpt2":  # stored the other way round
            weight[part] = 0
        else:
            weight[:, part] = 0
    with ablated(lm, heads, torch.zeros(2, 16)):
        during = logits(lm, ids)
    torch.testing.assert_close(during, logits(without, ids))
    assert not torch.allclose(during, before, atol=1e-3)
    torch.testing.assert_close(logits(lm, ids), before)


def test_a_head_that_is_taken_out_gives_its_mean(rng):
    lm = model("llama")
    pieces = [rng.integers(0, SIZE, n) for n in (12, 30)]
    mixed = [read_attention(lm, torch.tensor(piece)[None])[1] for piece in pieces]
    rows = [torch.cat([parts[layer][0, 1:] for parts in mixed]) for layer in range(2)]
    means = mean_outputs(lm, pieces)
    torch.testing.assert_close(means, torch.stack([part.mean(0) for part in rows]))
    with ablated(lm, [(1, 1)], means):
        given = []
        hook = projections(lm)[1].register_forward_pre_hook(lambda _, a: given.append(a[0]))
        logits(lm, pieces[0])
        hook.remove()
    torch.testing.assert_close(given[0][0, :, 8:], means[1, 8:].expand(12, 8))
    torch.testing.assert_close(given[0][0, :, :8], mixed[0][1][0, :, :8])


def test_losses_are_told_apart_by_what_copying_would_have_given(rng):
    lm = model("llama")
    pieces = [np.tile(rng.integers(0, SIZE, 40), 3), rng.integers(0, SIZE, 130)]
    losses = token_losses(lm, pieces)
    for piece, loss in zip(pieces, losses, strict=True):
        rows = logits(lm, piece).log_softmax(-1)
        expected = [-float(rows[t, token]) for t, token in enumerate(piece[1:])]
        assert np.allclose(loss, expected, atol=1e-4)
    copied, other = [], []
    for piece, loss in zip(pieces, losses, strict=True):
        text = piece.tolist()
        for t in range(1, len(text)):
            lengths = {}
            for place in range(1, t):  # what was before `place` matches what is before t
                n = 0
                while n < place and text[place - 1 - n] == text[t - 1 - n]:
                    n += 1
                lengths[place] = n
            best = max(lengths.values(), default=0)
            after = {text[p] for p, n in lengths.items() if n == best}
            (copied if best >= 2 and text[t] in after else other).append(loss[t - 1])
    summary = loss_summary(losses, pieces)
    assert summary["copied"] == pytest.approx(np.mean(copied), abs=1e-5)
    assert summary["other"] == pytest.approx(np.mean(other), abs=1e-5)
    late, early = ([loss[part] for loss in losses] for part in (slice(-50, None), slice(40, 60)))
    assert summary["in_context"] == pytest.approx(
        np.concatenate(late).mean() - np.concatenate(early).mean(), abs=1e-5
    )


def test_random_heads_are_of_the_same_layers():
    table = pd.DataFrame([(layer, head) for layer in range(4) for head in range(5)])
    table.columns = ["layer", "head"]
    chosen = [(1, 0), (1, 3), (3, 4)]
    draws = [random_heads(table, chosen, seed) for seed in range(30)]
    for heads in draws:
        assert [layer for layer, _ in heads] == [1, 1, 3]
        assert len(set(heads)) == 3 and not set(heads) & set(chosen)
    assert draws[0] == random_heads(table, chosen, 0)
    assert len({tuple(sorted(heads)) for heads in draws}) > 5


def test_the_best_heads_and_random_ones_are_taken_out(rng):
    lm = model("gpt2")
    table = pd.DataFrame(
        {"layer": [0, 0, 1, 1], "head": [0, 1, 0, 1], "prefix_matching": [0.1, 0.5, 0.9, 0.2]}
    )
    found = conditions(table, (1, 2), 2)
    assert found[:3] == [("none", 0, []), ("best", 0, [(1, 0)]), ("best", 0, [(1, 0), (0, 1)])]
    assert found[3:] == [("random", draw, [(0, 0), (1, 1)]) for draw in range(2)]
    pieces = [np.tile(rng.integers(0, SIZE, 30), 4)]
    means = mean_outputs(lm, pieces)
    without = losses_without(lm, [(1, 0)], means, pieces)
    with ablated(lm, [(1, 0)], means):
        assert without == loss_summary(token_losses(lm, pieces), pieces)
    assert without != losses_without(lm, [], means, pieces)
    with pytest.raises(InputError, match="111"):
        losses_without(lm, [], means, [pieces[0][:100]])
    with pytest.raises(InputError, match="match of two tokens"):
        loss_summary([np.zeros(119)], [np.arange(120)])
