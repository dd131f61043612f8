"""Language models: scoring, speculative decoding, induction heads."""

import copy
import functools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from gim.causal.heads import head_scores, in_context_score, match_agreement, write_heads
from gim.causal.model import load_causal, score_causal
from gim.decoding.assisted import GIMCandidates
from gim.decoding.drafts import GIMDraft, ModelDraft, Sampling
from gim.decoding.speculate import accept, compare, speculate
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.induction.model import GIM
from gim.text.tokenizer import Tokenizer, load_tokenizer

SIZE = 24


@functools.cache
def model(kind: str, seed: int = 0, positions: int = 256):
    """A random language model whose logits are far from flat."""
    torch.manual_seed(seed)
    if kind == "gpt2":
        shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5}
        config = GPT2Config(vocab_size=SIZE, n_positions=positions, **shape)
        return GPT2LMHeadModel(config).eval()
    config = LlamaConfig(
        vocab_size=SIZE,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions,
        initializer_range=0.5,
    )
    return LlamaForCausalLM(config).eval()


def letters(size: int = SIZE) -> Tokenizer:
    table = [bytes([97 + i]) for i in range(size)]
    return Tokenizer("letters", lambda text: [b - 97 for b in text.encode()], table)


@pytest.fixture
def ids(rng):
    return np.tile(rng.integers(0, SIZE, 15), 5)


# Scoring


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


# Speculative decoding


@pytest.fixture(scope="module")
def gims():
    tokenizer = letters()
    encoder = Encoder.create(load_tokenizer(), seed=0, width=32, heads=2, dim=16).eval()
    return {"exact": GIM(tokenizer, window=64), "fuzzy": GIM(tokenizer, None, encoder, 2, 64)}


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
        done = speculate(lm, GIMDraft(gim, sampled), ids, 40, draft_length=5)
        assert done.ids.tolist() == expected
        assert done.calls + done.accepted == 40
    small = ModelDraft(model(kind, seed=1), Sampling(1.0 if sampled else 0.0), sampled)
    assert speculate(lm, small, ids, 40, draft_length=3).ids.tolist() == expected
    assert speculate(lm, None, ids, 40).calls == 40


def test_a_perfect_draft_is_accepted_whole(ids):
    lm = model("gpt2")
    done = speculate(lm, ModelDraft(lm, Sampling()), ids, 40, draft_length=4)
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
    draft = GIMDraft(gims["exact"], sampled)
    draft.extend(ids)
    rng, counts = np.random.default_rng(11), np.zeros(SIZE * SIZE)
    for _ in range(draws):
        proposal = draft.propose(1, rng)
        p = np.stack([first, second[proposal[0][0]]])
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


# Induction heads


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
