"""Where heads look, and where they would by distance alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.causal.overlap import evidence, fuzzy_mask, looked_at, overlap, text_overlap
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.induction.fuzzy import FuzzyInduction, as_metric
from gim.text.tokenizer import load_tokenizer
from tests.helpers.random_models import SIZE, letters, model


def draw_looks(rng, heads, n):
    """Any position but the first, up to the token itself; -1 for the first token."""
    looked = np.full((heads, n), -1)
    for t in range(1, n):
        looked[:, t] = rng.integers(1, t + 1, heads)
    return looked


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.integers(3, 12), min_size=1, max_size=3))
def test_overlap_and_chance_are_those_of_the_definition(seed, sizes):
    rng = np.random.default_rng(seed)
    looked = [draw_looks(rng, 2, n) for n in sizes]
    masks = [np.tril(rng.random((n, n)) < 0.3) for n in sizes]
    masks[0][2, 1] = True
    table = overlap(looked, [{"kind": mask} for mask in masks])
    for head in range(2):
        usual = [t - part[head, t] for part in looked for t in range(1, part.shape[1])]
        hits, chances = [], []
        for part, mask in zip(looked, masks, strict=True):
            for t in range(1, len(mask)):
                wanted = {j for j in range(1, t + 1) if mask[t, j]}
                if wanted:
                    hits.append(part[head, t] in wanted)
                    possible = [t - d for d in usual if t - d >= 1]
                    chances.append(np.mean([j in wanted for j in possible]))
        assert table["kind"][head] == pytest.approx(np.mean(hits))
        assert table["kind_chance"][head] == pytest.approx(np.mean(chances))


def test_a_head_that_looks_at_random_meets_evidence_by_chance(rng):
    looked = [draw_looks(rng, 1, 200) for _ in range(10)]
    masks = [{"kind": np.tril(rng.random((200, 200)) < 0.1)} for _ in range(10)]
    table = overlap(looked, masks)
    assert table["kind"][0] == pytest.approx(table["kind_chance"][0], abs=0.03)
    always = [np.where(part > 0, 1, -1) for part in looked]
    for mask in masks:
        mask["kind"][1:, 1] = True
    assert overlap(always, masks)["kind"][0] == 1


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_heads_look_where_attention_is_greatest_but_for_the_first_token(rng, kind):
    lm, ids = model(kind), rng.integers(0, SIZE, 20)
    lm.set_attn_implementation("eager")
    with torch.inference_mode():
        weights = lm(torch.tensor(ids)[None], output_attentions=True).attentions
    looked = looked_at(lm, ids)
    assert looked.shape == (4, 20) and (looked[:, 0] == -1).all()
    for row, looks in zip(looked, torch.cat(weights, dim=1)[0].numpy(), strict=True):
        for t in range(1, 20):
            assert looks[t, row[t]] == looks[t, 1 : t + 1].max() and 1 <= row[t] <= t


def test_fuzzy_evidence_is_where_fuzzy_induction_has_its_weights(rng):
    tokenizer, ids = letters(), rng.integers(0, SIZE, 25)
    encoder = Encoder.create(load_tokenizer(), seed=0, width=32, heads=2, dim=16).eval()
    mask = fuzzy_mask(ids, as_metric(encoder), tokenizer, 3)
    induction = FuzzyInduction(encoder, tokenizer)
    for t, token in enumerate(ids.tolist()):
        induction.push(token)
        positions, weights = induction.votes()
        best = positions[np.argsort(-weights, kind="stable")[:3]]
        assert set(np.flatnonzero(mask[t])) == set(best.tolist())
    found = evidence(ids, as_metric(encoder), tokenizer)
    nearest = fuzzy_mask(ids, as_metric(encoder), tokenizer, 1)
    for t, follower in np.argwhere(nearest):
        assert found["fuzzy_alone"][t, follower] == (ids[follower - 1] != ids[t])
    assert 0 < found["fuzzy_alone"].sum() < nearest.sum()
    assert not (found["fuzzy_alone"] & found["exact"]).any()


def test_text_without_evidence_is_refused():
    with pytest.raises(InputError, match="no exact evidence"):
        text_overlap(model("gpt2"), [np.arange(10)])
