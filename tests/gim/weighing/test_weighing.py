"""The mixture: sums, streams against batches, windows, evidence that adds up, weights by name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.infinigram.query import InfiniGram
from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.weighing.model import WeightedGIM
from gim.weighing.sums import Sums
from gim.weighing.weights import (
    GATE,
    HEADS,
    SLOPES,
    SOURCES,
    UNITS,
    Weights,
    class_names,
    load_weights,
    save_weights,
    setting,
)
from tests.helpers.indexing import build, recurring

SETTINGS = [(c, e) for c in (True, False) for e in (True, False)]


def some_weights(seed=0, scale=0.3):
    rng = np.random.default_rng(seed)
    return Weights(
        rng.normal(0, 1, (len(HEADS), len(class_names()))),
        rng.normal(0, scale, (len(HEADS), len(SLOPES))),
        rng.normal(0, 1, (len(UNITS), len(class_names()))),
        rng.normal(0, scale, (len(UNITS), len(SLOPES))),
        rng.normal(0, scale, (len(HEADS), len(UNITS))),
        rng.normal(0, scale / 3, (len(SOURCES), len(GATE))),
    )


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    rng = np.random.default_rng(2)
    tokenizer = load_tokenizer()
    encoder = Encoder.create(tokenizer, seed=3, width=32, heads=2, dim=16).eval()
    docs, context = recurring(rng)
    numbers = Tokenizer("ids", lambda text: [int(w) for w in text.split()], tokenizer.table)
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        # The ids are chosen, and spell another text than the numbers that stand for them.
        patch.setattr("gim.infinigram.index.Fidelity.check", lambda *_: None)
        paths = [build(folder, docs, numbers), build(folder, [docs[1] * 3], numbers, "other")]
    return tokenizer, encoder, paths, context


def model_of(parts, corpus=True, encoder=True, window=1024, indexes=1, seed=0):
    weights = {setting(c, e): some_weights(seed) for c, e in SETTINGS}
    index = InfiniGram(parts[2][:indexes]) if corpus else None
    return WeightedGIM(parts[0], index, parts[1] if encoder else None, weights, window)


@pytest.mark.parametrize("corpus,encoder", SETTINGS)
@pytest.mark.parametrize("window", [30, 1024])
def test_teacher_forcing_equals_single_steps(parts, corpus, encoder, window):
    """And what is before the window makes no difference."""
    context = parts[3]
    model = model_of(parts, corpus, encoder, window)
    targets = np.append(context[1:], 300)
    scores, sources = model.score(context, targets)
    stream = model.stream()
    for t, token in enumerate(context):
        stream.push(token)
        if t % 45 == 20:
            answer = stream.predict(0)
            fresh = model.stream()
            if encoder:  # its states see 64 tokens, also before the window
                fresh.extend(context[: t + 1])
            else:
                fresh.extend(context[max(0, t + 1 - window) : t + 1])
            assert fresh.distribution() == pytest.approx(stream.distribution(), rel=1e-6)
            assert answer.probability(targets[t]) == pytest.approx(scores.p_next[t], rel=1e-6)
            assert (answer.top, answer.source) == (scores.top[t], sources[t])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(300, 420), max_size=40), st.integers(0, 5), st.sampled_from(SETTINGS))
def test_it_is_a_distribution_after_every_prefix(parts, ids, seed, kind):
    stream = model_of(parts, *kind, window=16, indexes=1 + seed % 2, seed=seed).stream()
    for token in [None, *ids]:
        if token is not None:
            stream.push(token)
        p = stream.distribution()
        assert abs(p.sum() - 1) < 1e-9 and p.min() > 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(300, 420), max_size=40) | st.integers(0, 150),
    st.integers(0, 5),
    st.sampled_from(SETTINGS),
    st.sampled_from([0, 0.01, 2]),
)
def test_sums_of_all_places_are_those_of_single_distributions(parts, ids, seed, kind, dense):
    """Whether all rows are multiplied as dense ones, or few, or none; also of what is copied."""
    ids = ids if isinstance(ids, list) else parts[3][ids : ids + 30].tolist()
    model = model_of(parts, *kind, window=16, indexes=1 + seed % 2, seed=seed)
    rng = np.random.default_rng(seed)
    tokens = rng.permutation(500)[:300]
    values = rng.normal(size=(300, 3)).astype(np.float32)
    sums, stream, wanted = Sums(model, np.array(ids, int), tokens, values), model.stream(), []
    for token in [None, *ids]:
        if token is not None:
            stream.push(token)
        sums.add(stream)
        wanted.append(stream.distribution()[tokens] @ values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gim.weighing.sums.DENSE", dense)
        patch.setattr("gim.weighing.sums.ROWS", 3)
        assert sums.take() == pytest.approx(np.array(wanted), rel=1e-5, abs=1e-6)
    assert len(sums) == 0 and sums.take().shape == (0, 3)


@pytest.mark.parametrize("corpus,encoder", SETTINGS)
def test_passages_and_remainder_sum_to_the_probability(parts, corpus, encoder):
    model = model_of(parts, corpus, encoder, window=100, indexes=2)
    stream = model.stream()
    for t, token in enumerate(parts[3]):
        if t % 50 == 0:
            p = stream.distribution().copy()
            for other in (int(p.argmax()), int(parts[3][t]), 401, 5):
                for limit in (1, 5, 1000):
                    found = stream.explain(other, limit)
                    weights = [item.weight for item in found.passages]
                    total = sum(weights) + sum(found.remainder.values())
                    assert total == pytest.approx(p[other], rel=1e-9)
                    assert sum(found.sources.values()) == pytest.approx(p[other], rel=1e-9)
                    assert len(weights) <= limit and weights == sorted(weights, reverse=True)
                    assert min(found.remainder.values()) >= 0
                # With all passages listed, only what is spread over the vocabulary remains.
                assert set(found.remainder) <= {"uniform", "discounts"}
                for item in found.passages:
                    tokens = item.passage or parts[3][: t + 1]
                    focus = item.focus if item.passage else item.end
                    assert tokens[focus] == item.token == other
        stream.push(token)


def test_a_copied_stream_goes_its_own_way(parts):
    model = model_of(parts, window=50)
    stream = model.stream()
    stream.extend(parts[3][:90])
    before = stream.distribution().copy()
    other = stream.copy()
    other.extend([400, 401, 300])
    assert stream.distribution() == pytest.approx(before, rel=1e-12)
    stream.extend([400, 401, 300])
    assert stream.distribution() == pytest.approx(other.distribution(), rel=1e-6)


def test_weights_are_kept_by_name(tmp_path):
    weights = {"context": some_weights()}
    save_weights(tmp_path / "weights.json", weights, {"files": ["a"]})
    found = load_weights(tmp_path / "weights.json")["context"]
    assert found.gate == pytest.approx(weights["context"].gate, abs=1e-4)
    for name in ("unit_table", "unit_slopes", "unit_votes"):
        assert getattr(found, name) == pytest.approx(getattr(weights["context"], name), abs=1e-4)
    assert found.table == pytest.approx(weights["context"].table, abs=1e-4)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 9, "weights": {}}'])
def test_what_holds_no_weights_is_refused(parts, tmp_path, text):
    path = tmp_path / "weights.json"
    with pytest.raises(InputError, match=r"cannot be read.*gim tune"):
        load_weights(path)
    path.write_text(text)
    with pytest.raises(InputError, match=r"no weights of a mixture.*gim tune"):
        load_weights(path)
    with pytest.raises(InputError, match="no weights for context, only for context\\+corpus"):
        WeightedGIM(parts[0], weights={"context+corpus": some_weights()})
    with pytest.raises(InputError, match="not below"):
        WeightedGIM(parts[0], weights={"context": some_weights()}).predict([10**6])
