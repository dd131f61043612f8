"""Speculative decoding loses nothing, whatever the draft."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from gim.decoding.assisted import GIMCandidates
from gim.decoding.drafts import ModelDraft, draft_of
from gim.decoding.sampling import Sampling
from gim.decoding.speculate import accept, compare, speculate
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.induction.model import GIM
from gim.text.tokenizer import load_tokenizer
from gim.weighing.model import WeightedGIM
from tests.helpers.random_models import SIZE, letters, model


@pytest.fixture
def ids(rng):
    return np.tile(rng.integers(0, SIZE, 15), 5)


@pytest.fixture(scope="module")
def gims():
    tokenizer = letters()
    encoder = Encoder.create(load_tokenizer(), seed=0, width=32, heads=2, dim=16).eval()
    return {
        "exact": GIM(tokenizer, window=64),
        "fuzzy": GIM(tokenizer, None, encoder, 2, 64),
        "weighed": WeightedGIM(tokenizer, window=64),
    }


def generate(lm, prompt, n, **options):
    with torch.inference_mode():
        out = lm.generate(
            torch.tensor(prompt)[None], max_new_tokens=n, min_new_tokens=n, do_sample=False,
            pad_token_id=0, eos_token_id=None, **options,
        )  # fmt: skip
    return out[0, len(prompt) :].tolist()


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("sampled", [False, True])
def test_greedy_output_is_the_large_model_s_own(gims, ids, kind, sampled):
    lm = model(kind)
    expected = generate(lm, ids, 40)
    for gim in gims.values():
        done = speculate(lm, draft_of(gim, sampled), ids, 40, draft_length=5)
        assert done.ids.tolist() == expected
        assert done.calls + done.accepted == 40
    small = ModelDraft(model(kind, seed=1), Sampling(1.0 if sampled else 0.0), sampled)
    assert speculate(lm, small, ids, 40, draft_length=3).ids.tolist() == expected
    assert speculate(lm, None, ids, 40).calls == 40


def test_a_perfect_draft_is_accepted_whole(ids):
    lm = model("gpt2")
    done = speculate(lm, ModelDraft(lm, Sampling()), ids, 40, draft_length=4, costs=None)
    assert (done.calls, done.accepted_per_call) == (8, 4)


@pytest.mark.parametrize("candidates", ["exact", "fuzzy"])
def test_assisted_generation_of_transformers_takes_gim(gims, ids, candidates):
    lm = model("gpt2")
    expected = generate(lm, ids, 30)
    generator, calls = GIMCandidates(gims[candidates], 4), []
    inner = generator.get_candidates
    generator.get_candidates = lambda i, **k: calls.append(1) or inner(i, **k)
    with generator.attached(lm):
        assert generate(lm, ids, 30, prompt_lookup_num_tokens=4) == expected
    assert 0 < len(calls) <= 30
    assert "_get_candidate_generator" not in vars(lm)


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(
    "sampling", [Sampling(1.0), Sampling(0.7, top_k=6), Sampling(1.3, top_p=0.8)]
)
def test_sampled_output_has_the_large_model_s_distribution(gims, ids, sampled, sampling):
    """Pairs of tokens, 4,000 draws, against the exact joint distribution."""
    lm, draws = model("gpt2"), 4000
    with torch.inference_mode():
        first = sampling.probabilities(lm(torch.tensor(ids)[None]).logits[0, -1:].numpy())[0]
        branches = np.column_stack([np.tile(ids, (SIZE, 1)), np.arange(SIZE)])
        logits = lm(torch.tensor(branches)).logits[:, -1].numpy()
    second = sampling.probabilities(logits)
    joint = (first[:, None] * second).ravel()
    draft = draft_of(gims["exact"], sampled)
    draft.extend(ids)
    rng, counts = np.random.default_rng(11), np.zeros(SIZE * SIZE)
    for _ in range(draws):
        proposal = draft.propose(1, None, rng)
        p = np.stack([first, second[proposal.tokens[0]]])
        tokens = accept(proposal, p, rng)
        if len(tokens) == 1:
            tokens.append(int(rng.choice(SIZE, p=second[tokens[0]])))
        counts[tokens[0] * SIZE + tokens[1]] += 1
    assert counts[joint == 0].sum() == 0
    large = joint * draws >= 5
    observed = np.append(counts[large], counts[~large].sum())
    expected = np.append(joint[large], joint[~large].sum()) * draws
    keep = expected > 0
    assert (
        chisquare(
            observed[keep], expected[keep] * observed[keep].sum() / expected[keep].sum()
        ).pvalue
        > 1e-4
    )


def test_sampling_follows_its_definition():
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]]))
    assert Sampling(1.0, top_k=2).probabilities(logits)[0] == pytest.approx([0.625, 0.375, 0, 0])
    assert Sampling(1.0, top_p=0.6).probabilities(logits)[0] == pytest.approx([0.625, 0.375, 0, 0])
    assert Sampling(1.0, top_p=0.5).probabilities(logits)[0] == pytest.approx([1, 0, 0, 0])
    assert Sampling().probabilities(logits)[0].tolist() == [1, 0, 0, 0]
    with pytest.raises(InputError, match="top_p"):
        Sampling(top_p=0.0)


def test_comparison_reports_every_draft(gims, ids):
    table = compare(model("gpt2"), gims["exact"], ids, 20, small=model("gpt2", seed=1))
    assert table["draft"].tolist() == ["none", "gim", "small model"]
    assert table["speed_up"].iloc[0] == 1
    assert len({tuple(row) for row in table["ids"]}) == 1


def test_prompts_that_do_not_fit_are_refused(ids):
    with pytest.raises(InputError, match="exceed the model's 256"):
        speculate(model("gpt2"), None, ids, 250)
    with pytest.raises(InputError, match="empty"):
        speculate(model("gpt2"), None, [], 5)
