"""GIM: Eq. 5 and its boundary, teacher forcing against single steps, evidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim._kernels.soft import TIE
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.induction.choice import choose
from gim.induction.model import GIM
from gim.infinigram.query import InfiniGram
from gim.scores import rank
from gim.text.tokenizer import load_tokenizer
from tests.helpers.indexing import build, recurring


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    rng = np.random.default_rng(2)
    tokenizer = load_tokenizer()
    encoder = Encoder.create(tokenizer, seed=3, width=32, heads=2, dim=16).eval()
    docs, context = recurring(rng)
    folder = tmp_path_factory.mktemp("corpus")
    numbers = _as_numbers(tokenizer)
    with pytest.MonkeyPatch.context() as patch:
        # The ids are chosen, and spell another text than the numbers that stand for them.
        patch.setattr("gim.infinigram.index.Fidelity.check", lambda *_: None)
        index = InfiniGram(build(folder, docs, numbers))
    return tokenizer, encoder, index, context


def _as_numbers(tokenizer):
    """The same vocabulary, but text is a list of ids: to index chosen ids."""
    from gim.text.tokenizer import Tokenizer

    return Tokenizer("ids", lambda text: [int(w) for w in text.split()], tokenizer.table)


@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize("with_encoder", [True, False])
@pytest.mark.parametrize("window", [30, 1024])
def test_teacher_forcing_equals_single_steps(parts, with_index, with_encoder, window):
    tokenizer, encoder, index, context = parts
    model = GIM(
        tokenizer, index if with_index else None, encoder if with_encoder else None, 3, window
    )
    targets = np.append(context[1:], 300)
    scores, sources = model.score(context, targets)
    stream = model.stream()
    seen = set()
    for t, token in enumerate(context):
        stream.push(token)
        step = stream.predict()
        seen.add(step.source)
        assert step.source == sources[t]
        assert step.suffix_len == scores.suffix_len[t]
        assert step.probabilities.sum() == pytest.approx(1)
        tie = TIE if step.source == "fuzzy" else 0
        top, p, greater, equal = rank(step.ids, step.probabilities, targets[t], tie or 1e-12)
        assert (top, greater, equal) == (scores.top[t], scores.greater[t], scores.equal[t])
        assert p == pytest.approx(scores.p_next[t], rel=1e-4)
    expected = {"exact"} | ({"infinigram"} if with_index else set())
    assert seen >= expected | ({"fuzzy"} if with_encoder else set())


def test_predicting_at_once_equals_streaming(parts):
    tokenizer, encoder, index, context = parts
    model = GIM(tokenizer, index, encoder, 3)
    stream = model.stream()
    for token in context:
        stream.push(token)
    one, other = model.predict(context), stream.predict()
    assert one.source == other.source and one.lengths == other.lengths
    assert one.ids.tolist() == other.ids.tolist()
    assert one.probabilities == pytest.approx(other.probabilities, rel=1e-5)


@given(st.integers(-1, 12), st.integers(0, 12), st.integers(1, 9))
def test_boundary_of_equation_5(s_inf, s_ctx, tau):
    """In the paper's terms n = s + 1 and the condition is n > tau."""
    n_inf, n_ctx = s_inf + 1, s_ctx + 1
    if n_inf > n_ctx and n_inf > tau:
        expected = "infinigram"
    elif n_ctx >= n_inf and n_ctx > tau:
        expected = "exact"
    else:
        expected = "fuzzy"
    assert choose(s_inf, s_ctx, tau, s_inf >= 0, True) == expected


def test_tau_decides_at_the_suffix_length(parts):
    tokenizer, encoder, _, _ = parts
    ids = [300, 301, 302, 303, 310, 300, 301, 302, 303]  # a suffix of length 4 came before
    at, above = (GIM(tokenizer, None, encoder, tau).predict(ids) for tau in (4, 5))
    assert (at.source, at.suffix_len, at.effective_n, at.top) == ("exact", 4, 5, 310)
    assert above.source == "fuzzy"
    assert "4 tokens" in above.why and "tau = 5" in above.why


def test_evidence_in_the_context_is_what_was_matched(parts):
    tokenizer, encoder, _, context = parts
    for tau in (1, 50):
        prediction = GIM(tokenizer, None, encoder, tau).predict(context, evidence=4)
        assert len(prediction.evidence) > 0
        for item in prediction.evidence:
            assert context[item.end] == item.token
            assert 0 < item.weight <= prediction.probability(item.token) + 1e-9
        if tau == 1:
            s = prediction.suffix_len
            assert all(
                context[e.begin : e.end].tolist() == context[-s:].tolist()
                for e in prediction.evidence
            )


def test_evidence_positions_are_absolute_when_the_window_slides(parts):
    tokenizer, encoder, _, context = parts
    for tau in (1, 50):
        prediction = GIM(tokenizer, None, encoder, tau, window=20).predict(context)
        assert all(context[e.end] == e.token for e in prediction.evidence)
        assert all(e.end > len(context) - 20 for e in prediction.evidence)


def test_evidence_in_the_corpus_shows_the_passage(parts):
    tokenizer, _, index, context = parts
    prediction = GIM(tokenizer, index, None).predict(context[140:188])
    assert prediction.source == "infinigram"
    for item in prediction.evidence:
        before = item.passage[: item.focus]
        n = min(prediction.suffix_len, len(before))
        assert list(before[-n:]) == context[140:188][-n:].tolist()
        assert item.passage[item.focus] == item.token


def test_nothing_to_copy_from(parts):
    """Known error: an all-zero distribution. Every context has an answer that sums to 1."""
    tokenizer, encoder, index, _ = parts
    empty = GIM(tokenizer, None, encoder).predict([])
    assert empty.source == "uniform" and empty.probabilities.sum() == pytest.approx(1)
    assert GIM(tokenizer, index, None).predict([]).source == "unigram"
    one = GIM(tokenizer, None, encoder).predict([300])
    assert (one.ids.tolist(), one.probabilities.tolist()) == ([300], [1.0])
    assert GIM(tokenizer).predict([300]).source == "unigram"


def test_bad_input_is_refused(parts):
    tokenizer = parts[0]
    with pytest.raises(InputError, match="tau is 0"):
        GIM(tokenizer, tau=0)
    with pytest.raises(InputError, match="not below 16384"):
        GIM(tokenizer).predict([16_384])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(300, 303), min_size=1, max_size=40))
def test_distributions_are_proper(ids):
    prediction = GIM(load_tokenizer_once(), tau=1).predict(ids)
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert (np.diff(prediction.probabilities) <= 0).all()


_loaded: list = []


def load_tokenizer_once():
    if not _loaded:
        _loaded.append(load_tokenizer())
    return _loaded[0]
