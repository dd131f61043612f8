"""Retrieval scores against their definition, one query at a time."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from gim.errors import InputError
from gim.evaluation.baselines import TokenBag
from gim.evaluation.retrieval import compare_metrics, retrieval_scores


def test_scores_are_those_of_the_definition(rng):
    """Ties in the similarity are drawn at random: the recall is the share of all orders."""
    distance = rng.random((40, 12))
    similarity = rng.integers(0, 4, (40, 12)).astype(float)
    found = retrieval_scores(similarity, distance, (1, 3))
    for i in range(40):
        nearest = distance[i].argmin()
        hits = np.zeros(2)
        for _ in range(400):
            order = np.lexsort((rng.random(12), -similarity[i]))
            hits += [nearest in order[:1], nearest in order[:3]]
        assert found["recall1"][i] == pytest.approx(hits[0] / 400, abs=0.12)
        assert found["recall3"][i] == pytest.approx(hits[1] / 400, abs=0.12)
        expected = spearmanr(similarity[i], -distance[i]).statistic
        assert found["spearman"][i] == pytest.approx(expected)


def test_the_teacher_finds_itself_and_noise_does_not(rng):
    distance = rng.random((500, 64))
    own = retrieval_scores(np.exp(-distance), distance)
    assert all((values > 1 - 1e-12).all() for values in own.values())
    noise = {k: v.mean() for k, v in retrieval_scores(rng.random((500, 64)), distance).items()}
    assert noise == pytest.approx({"recall1": 1 / 64, "recall5": 5 / 64, "spearman": 0}, abs=0.04)
    flat = retrieval_scores(np.ones((500, 64)), distance)
    assert flat["recall5"].tolist() == [5 / 64] * 500 and not flat["spearman"].any()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="do not pair up"):
        retrieval_scores(np.ones((2, 3)), np.ones((3, 2)))


class _Lookup:
    """A metric that reads distributions from a table: its state is the token itself."""

    def __init__(self, table):
        self.table = table

    def stream(self, tokenizer):
        return self

    def push(self, ids):
        return np.log(self.table[ids])

    def divergence(self, queries, keys):
        return np.square(queries[:, None] - keys[None]).sum(-1)

    def similarity(self, queries, keys):
        return np.exp(-self.divergence(queries, keys))


def test_metrics_are_compared_on_the_same_positions(rng):
    """A teacher that sees the last token only is found by that token's identity, up to ties."""
    teacher = _Lookup(rng.dirichlet(np.ones(6), 900))
    texts = [rng.integers(0, 900, n) for n in (400, 2000, 90)]
    metrics = {"teacher": teacher, "last": TokenBag(1), "flat": _Lookup(np.ones((900, 3)))}
    table = compare_metrics(texts, None, metrics, teacher, rounds=2).set_index("metric")
    again = compare_metrics(texts, None, metrics, teacher, rounds=2).set_index("metric")
    assert table.equals(again)
    assert (table["queries"] == 256).all()
    assert table.loc["teacher", ["recall1", "recall5", "spearman"]].min() > 0.5
    assert table["recall1"].is_monotonic_decreasing
    assert table.loc["flat", "recall5"] == pytest.approx(5 / 512)
    assert table.loc["last", "recall1"] > 5 / 512
    assert (table["recall1_lo"] <= table["recall1"]).all()
    with pytest.raises(InputError, match="no document is longer"):
        compare_metrics(texts[2:], None, metrics, teacher)
