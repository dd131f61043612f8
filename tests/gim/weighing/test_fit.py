"""Fitting: the mixture with gradients is the one that predicts, and fitting makes it better."""

import numpy as np
import pytest
import torch

from gim.text.tokenizer import load_tokenizer
from gim.weighing.fit import _Mixture, _tensors, fit_weights, observe
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import SLOPES, Weights

NONE = {"context": Weights.zeros()}


@pytest.fixture(scope="module")
def text():
    """Phrases that recur."""
    rng = np.random.default_rng(5)
    phrases = rng.integers(300, 340, (6, 7))
    return np.concatenate([phrases[i] for i in rng.integers(0, 6, 30)])


def test_it_is_the_mixture_that_predicts(text):
    """For any numbers: those of the kernels give the token that came the same probability."""
    tokenizer, targets = load_tokenizer(), np.append(text[1:], -1)
    seen = observe(WeightedGIM(tokenizer, weights=NONE, window=40), [(text, targets)])
    seen = seen.without(False, False)
    torch.manual_seed(0)
    mixture = _Mixture(seen)
    with torch.no_grad():
        for part in mixture.parameters():
            part += 0.2 * torch.randn_like(part)
        wanted = mixture(*_tensors(seen, np.arange(len(seen)))).exp()
    model = WeightedGIM(tokenizer, weights={"context": mixture.weights()}, window=40)
    scores, _ = model.score(text, targets)
    # Features of votes are kept in half precision.
    assert scores.p_next[:-1] == pytest.approx(wanted.numpy(), rel=2e-2)
    assert np.corrcoef(np.log(scores.p_next[:-1]), wanted.log())[0, 1] > 0.99999


def test_a_sample_of_votes_stands_for_all(text):
    """In the mean over samples, what votes sum to, and what those for the token that came do."""
    tokenizer, targets = load_tokenizer(), np.append(text[1:], -1)
    model = WeightedGIM(tokenizer, weights=NONE, window=150)
    targets[:-10] = -1  # of places with all votes
    whole = observe(model, [(text, targets)])
    samples = [observe(model, [(text, targets)], kept=40, seed=s) for s in range(300)]
    assert (whole.sizes == 149).all() and not whole.logs.any()
    lag = SLOPES.index("log_lag")
    for row in range(len(whole)):
        for hit in (False, True):
            wanted = whole.votes[row, whole.hits[row] == hit, lag].astype(float).sum()
            found = [_weighted_sum(seen, row, hit, lag) for seen in samples]
            spread = np.std(found) / np.sqrt(len(found))
            assert np.mean(found) == pytest.approx(wanted, abs=5 * spread + 0.2)


def _weighted_sum(seen, row, hit, feature):
    n = seen.sizes[row]
    assert n <= 40
    chosen = seen.hits[row, :n] == hit
    times = np.exp(seen.logs[row, :n][chosen].astype(float))
    return (times * seen.votes[row, :n, feature][chosen]).sum()


def test_fitted_weights_are_better_and_the_same_for_a_seed(text):
    tokenizer, half = load_tokenizer(), len(text) // 2
    targets = np.append(text[1:], -1)
    model = WeightedGIM(tokenizer, weights=NONE, window=40)
    seen = observe(model, [(text[:half], targets[:half])] * 8)
    seen = seen.without(False, False)
    weights, _ = fit_weights(seen, epochs=2, seed=3)
    again, _ = fit_weights(seen, epochs=2, seed=3)
    assert np.array_equal(weights.gate, again.gate)
    fitted = WeightedGIM(tokenizer, weights={"context": weights}, window=40)
    before, after = (m.score(text[half:], targets[half:])[0] for m in (model, fitted))
    assert np.log(after.p_next[:-1]).mean() > np.log(before.p_next[:-1]).mean() + 0.5
