"""Models with tokenizers of their own on the positions of another one, against single calls."""

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gim.causal.model import load_causal, score_causal
from gim.cli import main
from gim.evaluation.by_text import OtherModel, score_by_text
from gim.text.tokenizer import load_tokenizer

TEXT = "The key 3 opens Door 1. It's naïve — “the key”, said 😀 of Door 7; thekey 3 opens Doors."


def network(size, positions=256):
    torch.manual_seed(1)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.6}
    config = GPT2Config(vocab_size=size, n_positions=positions, **shape)
    return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def other(small):
    return OtherModel(network(small.vocab_size), small)


def all_targets(ids):
    return np.append(ids[1:], -1)


def test_with_the_same_tokenizer_the_scores_are_those_of_its_ids(other, small):
    ids = small.encode(TEXT.encode("ascii", "ignore").decode())  # no parts of characters
    targets = all_targets(ids)
    plain = score_causal(other.network, ids, targets)
    found = score_by_text(other, small, ids, targets)
    np.testing.assert_allclose(found.p_next[:-1], plain.p_next[:-1], rtol=1e-4)


def test_no_nat_is_lost_or_counted_twice(other, small):
    ours = load_tokenizer()
    ids = ours.encode(TEXT)
    text, ends = ours.text_and_ends(ids)
    assert text == TEXT
    found = score_by_text(other, ours, ids, all_targets(ids))
    own = small.encode(TEXT)
    each = -np.log(score_causal(other.network, own, all_targets(own)).p_next[:-1])
    begins = small.text_and_ends(own)[1][:-1]  # of the tokens from the second on
    whole = each[begins >= ends[0]].sum()
    straddling = each[begins < ends[0]].sum() + np.log(small.vocab_size)
    nats = -np.log(found.p_next[:-1]).sum()
    assert whole - 1e-3 <= nats <= whole + straddling
    # Any choice of positions has what it has among all.
    some = np.where(np.arange(len(ids)) % 3 == 0, all_targets(ids), -1)
    part = score_by_text(other, ours, ids, some)
    np.testing.assert_allclose(part.p_next[some >= 0], found.p_next[some >= 0], rtol=1e-4)


@pytest.mark.parametrize("context", [1024, 16])
def test_answers_are_those_of_the_text_before_read_anew(other, small, context):
    ours = load_tokenizer()
    ids = ours.encode(TEXT)
    text, ends = ours.text_and_ends(ids)
    targets = all_targets(ids)
    targets[:20] = -1
    found = score_by_text(other, ours, ids, targets, context)
    for t in np.flatnonzero(targets >= 0):
        prefix, goal, said = text[: ends[t]], text[ends[t] : ends[t + 1]], ""
        tokens = small.encode(prefix).tolist()
        while len(said) < len(goal) and goal.startswith(said):
            with torch.inference_mode():
                rows = other.network(torch.tensor([tokens[-context:]])).logits[0, -1]
            tokens.append(int(rows.argmax()))
            said += small.decode(tokens[-1:])
        first = ours.encode(said)[:1].tolist()
        if context == 1024:  # else a window of the whole text begins elsewhere
            assert found.top[t] == (first[0] if first else -1), text[: ends[t]]
        right = found.top[t] == targets[t]
        assert (found.greater[t] == 0) == right


def test_the_command_compares_a_model_by_text(corpus, small, teacher, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--encoder", "none", "--context", "64", "--stride", "40", "--documents", "3"]
    assert main(["eval", str(corpus), *options, "--by-text", teacher, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert load_causal(teacher).config.vocab_size == small.vocab_size
    assert "saved" in said and "bits_per_byte" in said


@pytest.mark.smollm2
def test_the_real_model_predicts_the_tokens_of_another_tokenizer(smollm2_model):
    model = OtherModel(load_causal(smollm2_model), load_tokenizer(smollm2_model))
    ours = load_tokenizer()
    ids = ours.encode("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, Monday,")
    targets = all_targets(ids)
    targets[: len(ids) // 2] = -1
    found = score_by_text(model, ours, ids, targets)[targets >= 0]
    assert (found.greater == 0).mean() > 0.6
