"""What is drafted, how sure drafts are, and how many of them are sent."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gim._kernels import draft as kernel
from gim.decoding.costs import ASSUMED, Budget, Costs
from gim.decoding.drafts import CopyDraft, LayeredDraft, ModelDraft, Proposal, StreamDraft, draft_of
from gim.decoding.reader import Reader
from gim.decoding.sampling import Sampling
from gim.decoding.speculate import speculate
from gim.errors import InputError
from gim.induction.exact import ExactInduction
from gim.induction.model import GIM
from gim.weighing.model import WeightedGIM
from tests.helpers.random_models import SIZE, letters, model

TEXTS = st.lists(st.integers(0, 3), max_size=40)


def longest(text, window):
    """Length of the longest suffix that occurred before in the window, and where it ended."""
    text = text[-window:]
    for length in range(len(text) - 1, 0, -1):
        ends = [i for i in range(length, len(text)) if text[i - length : i] == text[-length:]]
        if ends:
            return length, ends
    return 0, []


def copied(text, n, window):
    """The definition, token by token: (token, class of the copy) of each drafted one."""
    text, out = list(text)[-window:], []
    length, places = longest(text, window)
    while places and len(out) < n:
        votes = Counter(text[p] for p in places)
        last = {text[p]: p for p in places}  # ascending: the latest place of each token
        token = max(votes, key=lambda t: (votes[t], last[t]))
        out.append((token, kernel.class_of(length + len(out), votes[token], len(places))))
        text.append(token)
        places = [p + 1 for p in places if text[p] == token]
    return out


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.integers(2, 50), st.integers(1, 12))
def test_drafts_are_copies_of_the_places_that_followed_the_longest_match(text, window, n):
    draft = CopyDraft(window)
    draft.extend(text)
    expected = copied(text, n, window)
    proposal = draft.propose(n, None, np.random.default_rng(0))
    assert proposal.tokens == [token for token, _ in expected]
    assert proposal.chances == [draft._record.chance(of) for _, of in expected]
    assert proposal.drawn is None


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.integers(2, 50), st.lists(st.integers(1, 9), max_size=8))
def test_every_token_that_comes_is_held_against_the_copy(text, window, cuts):
    """However it is cut into calls, and with drafts between them, which change nothing."""
    draft, plain = CopyDraft(window), CopyDraft(window)
    tries, hits = draft._record.tries.copy(), draft._record.hits.copy()
    for t, token in enumerate(text):
        for copy, of in copied(text[:t], 1, window):
            tries[of], hits[of] = 0.95 * tries[of] + 1, 0.95 * hits[of] + (copy == token)
    plain.extend(text)
    for part in np.split(np.array(text, int), np.cumsum(cuts)):
        draft.extend(part.tolist())
        draft.propose(5, ASSUMED, np.random.default_rng(0))
    for one in (draft, plain):
        assert np.allclose(one._record.tries, tries) and np.allclose(one._record.hits, hits)


@settings(deadline=None, max_examples=60)
@given(TEXTS.filter(len), st.floats(0.02, 1))
def test_a_draft_is_as_long_as_pays(text, step):
    draft, rng, costs = CopyDraft(64), np.random.default_rng(0), Costs.linear(step)
    draft.extend(text)
    whole, short = draft.propose(8, None, rng), draft.propose(8, costs, rng)
    assert short == whole.worth(costs)
    assert len(short.tokens) == costs.best(whole.chances)


def test_copies_by_the_kernel_are_the_first_choice_of_exact_induction(rng):
    """Where the longest match's followers have no tie, the two agree token by token."""
    ids = rng.integers(0, 6, 300)
    draft, exact = CopyDraft(100), ExactInduction(100)
    agreed = 0
    for token in ids.tolist():
        draft.extend([token])
        exact.push(token)
        found, counts = exact.counts()
        if exact.suffix_len and (len(counts) == 1 or counts[0] > counts[1]):
            assert draft.propose(1, None, rng).tokens == [found[0]]
            agreed += 1
    assert agreed > 150


def test_a_text_that_repeats_nothing_has_no_draft(rng):
    draft = CopyDraft(100)
    draft.extend(rng.permutation(500).tolist())
    assert draft.propose(8, None, rng) == Proposal([], [])


def test_the_kind_of_draft_follows_the_predictor(rng):
    tokenizer = letters()
    assert isinstance(draft_of(GIM(tokenizer)), CopyDraft)
    assert isinstance(draft_of(GIM(tokenizer), sampled=True), StreamDraft)


def test_evidence_weighed_drafts_what_it_predicts(rng):
    predictor, ids = WeightedGIM(letters(), window=64), np.tile(rng.integers(0, SIZE, 9), 4)
    draft = draft_of(predictor)
    draft.extend(ids.tolist())
    found, text = draft.propose(5, None, rng).tokens, ids.tolist()
    for token in found:
        assert token == predictor.predict(text, evidence=0).top
        text.append(token)


def test_own_probabilities_are_corrected_by_what_came(rng):
    """A draft that is always wrong ends up without a chance, one that is right with one."""
    lm, ids = model("gpt2"), rng.integers(0, SIZE, 20)
    right = ModelDraft(lm, Sampling())
    speculate(lm, right, ids, 100, costs=Costs.linear(0.01))
    right.extend([])
    assert min(right.propose(4, None, rng).chances) > 0.8
    wrong = StreamDraft(GIM(letters()))
    wrong.extend([1, 2, 3, 1, 2])
    before = wrong.propose(1, None, rng)
    for _ in range(60):
        token = wrong.propose(1, None, rng).tokens[0]
        wrong.extend([(token + 1) % 3 + 1])
    assert max(wrong.propose(1, None, rng).chances) < before.chances[0]


# How many are sent


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 1), max_size=12),
    st.lists(st.floats(0, 2), min_size=1, max_size=8),
)
def test_the_number_sent_is_the_best_of_all(chances, steps):
    costs = Costs(tuple(np.cumsum([1.0, *steps]).tolist()))

    def rate(k):
        expected = 1 + sum(np.prod(chances[: i + 1]) for i in range(k))
        step = costs.calls[-1] - costs.calls[-2]
        beyond = max(0, k + 1 - len(costs.calls))
        return expected / (costs.calls[min(k, len(costs.calls) - 1)] + beyond * step)

    best = costs.best(chances)
    assert rate(best) == pytest.approx(max(rate(k) for k in range(len(chances) + 1)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=12), st.floats(0.05, 1))
def test_tokens_below_the_least_chance_never_pay(chances, step):
    costs = Costs.linear(step)
    assert (np.cumprod(chances)[: costs.best(chances)] >= costs.least * (1 - 1e-9)).all()


def test_unlikely_drafts_are_not_sent_and_sure_ones_whole():
    assert ASSUMED.best([0.3, 0.5]) == 0
    assert ASSUMED.best([0.95] * 16) >= 12
    assert Costs.linear(0.0).best([0.1]) == 1


class Wrong:
    """A draft that is sure of what never comes."""

    def extend(self, ids):
        pass

    def propose(self, n, costs, rng):
        return Proposal([SIZE - 1] * n, [1.0] * n)


@pytest.mark.parametrize("step", [0.05, 0.3, 0.6])
def test_drafts_that_are_wrong_lose_little_whatever_they_promise(rng, step):
    """All calls, by the costs, take at most 5 % more than plain decoding of as many tokens."""
    costs, lm, ids, n = Costs.linear(step), model("llama"), rng.integers(0, SIZE, 20), 100
    with torch.inference_mode():
        best = lm(torch.tensor(ids)[None]).logits
    assert not (best.argmax(-1) == SIZE - 1).all()
    done = speculate(lm, Wrong(), ids, n, draft_length=4, costs=costs)
    assert done.drafted > 0
    taken = done.calls * costs.of(1) + done.drafted * step
    assert taken <= 1.05 * n
    assert speculate(lm, Wrong(), ids, n, draft_length=4, costs=None).drafted > 3 * n


def test_drafts_that_are_right_have_a_budget_without_end():
    budget = Budget(Costs.linear(0.05))
    assert [budget.most(n) for n in (0, 5, 9, 11)] == [0, 5, 9, budget.most(30)]
    assert budget.most(30) in (9, 10)  # 10 times 0.05 is half a call, but for rounding
    budget.book(10, 1)
    assert budget.most(5) == 0
    for _ in range(5):
        budget.book(4, 5)
    assert budget.most(100) == 100


class Clock:
    """Seconds that pass as a test says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Slow(Wrong):
    """Wrong, and dear to ask."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def propose(self, n, costs, rng):
        self.clock.now += self.seconds
        return super().propose(n, costs, rng)


@pytest.mark.parametrize(("a_call", "asking"), [(1.0, 0.0), (1.0, 0.3), (3.0, 0.0), (0.5, 0.2)])
def test_a_clock_tells_what_costs_did_not(rng, monkeypatch, a_call, asking):
    """Calls take longer than they once did, drafted tokens too, and so does drafting."""
    clock, lm, n = Clock(), model("llama"), 100
    read = Reader.read

    def slowly(self, ids, last):
        clock.now += a_call * (1 + 0.4 * (last - 1))
        return read(self, ids, last)

    monkeypatch.setattr(Reader, "read", slowly)
    costs = Costs((1.0, 1.05, 1.1), in_seconds=True)
    given = {"draft_length": 4, "costs": costs, "clock": clock}
    plain = speculate(lm, None, rng.integers(0, SIZE, 20), n, **given)
    done = speculate(lm, Slow(clock, asking), rng.integers(0, SIZE, 20), n, **given)
    assert plain.seconds == pytest.approx(n * a_call)
    assert done.drafted > 0
    assert done.seconds <= 1.06 * plain.seconds


def test_taking_in_the_prompt_is_not_for_nothing(rng, monkeypatch):
    """It takes four calls' time, which is all that drafts may lose of a text this short."""
    clock, lm, n = Clock(), model("llama"), 100
    read = Reader.read

    def slowly(self, ids, last):
        clock.now += 1 + 0.4 * (last - 1)
        return read(self, ids, last)

    class Taking(Slow):
        def extend(self, ids):
            self.clock.now += 4 if len(ids) > 10 else 0

    monkeypatch.setattr(Reader, "read", slowly)
    given = {"draft_length": 4, "costs": Costs((1.0, 1.4), in_seconds=True), "clock": clock}
    prompt = rng.integers(0, SIZE, 20)
    plain, done = (speculate(lm, d, prompt, n, **given) for d in (None, Taking(clock, 0.0)))
    assert done.seconds <= 1.05 * plain.seconds


@pytest.mark.parametrize("calls", [(1.0,), (2.0, 1.0), (0.0, 1.0), (1.0, float("nan"))])
def test_costs_that_cannot_be_are_refused(calls):
    with pytest.raises(InputError, match="costs"):
        Costs(calls)


def test_costs_of_a_model_are_measured():
    costs = Costs.measure(model("llama"), 5)
    assert len(costs.calls) == 6 and 0 < costs.calls[0] < 1
    with pytest.raises(InputError, match="no room for drafts of 300 tokens"):
        Costs.measure(model("gpt2"), 300)


class Silent:
    """A dear draft without anything to say, or with one token that is right."""

    def __init__(self):
        self.asked, self.read, self.speaks = 0, [], False

    def extend(self, ids):
        self.read += ids

    def propose(self, n, costs, rng):
        self.asked += 1
        return Proposal([7], [1.0]) if self.speaks else Proposal([], [])


def test_a_dear_draft_is_asked_where_copies_do_not_pay_and_less_often_in_vain(rng):
    dear, costs = Silent(), Costs.linear(0.5)
    draft = LayeredDraft(dear, 100)
    new = rng.permutation(1000).tolist()
    for token in new[:60]:
        draft.extend([token])
        assert draft.propose(4, costs, rng).tokens == []
    assert 8 <= dear.asked <= 12  # every call, every second, fourth, then every eighth
    assert dear.read == new[: len(dear.read)] and len(dear.read) > 50
    dear.speaks = True
    draft.extend(new[60:70])
    found = [draft.propose(4, costs, rng).tokens for _ in range(20)]
    assert found[-12:] == [[7]] * 12
    asked = dear.asked
    draft.extend([*new[:30], *new[:30], *new[:20]])
    assert draft.propose(4, costs, rng).tokens == new[20:24]
    assert dear.asked == asked
