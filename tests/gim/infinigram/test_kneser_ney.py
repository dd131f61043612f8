"""Kneser-Ney against its definition, written out over dictionaries."""

from collections import Counter

import numpy as np
import pytest

from gim.errors import InputError
from gim.infinigram.kneser_ney import FALLBACK, FOLDER, KneserNey, build_kneser_ney
from tests.gim.conftest import number_tokenizer
from tests.helpers.indexing import VOCABULARY, build

ORDER = 4


class ByDefinition:
    """Chen and Goodman (1998), interpolated and modified; <s> begins a document and is kept."""

    def __init__(self, docs, vocab_size, order):
        self.size, self.order = vocab_size, order
        lines = [("<s>", *doc) for doc in docs]
        raw = [
            Counter(x[i : i + n] for x in lines for i in range(len(x) - n + 1))
            for n in range(1, order + 1)
        ]
        self.counts = [raw[-1]]
        for n in range(order - 1, 0, -1):
            adjusted = Counter(gram[1:] for gram in raw[n])
            adjusted |= {gram: c for gram, c in raw[n - 1].items() if gram[0] == "<s>" and n > 1}
            self.counts.insert(0, adjusted)
        self.discounts = [self._discounts(Counter(c.values())) for c in self.counts]

    @staticmethod
    def _discounts(n):
        if not all(n[k] for k in (1, 2, 3, 4)):
            return FALLBACK
        y = n[1] / (n[1] + 2 * n[2])
        found = [0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
        return found if all(0 <= d <= k for k, d in enumerate(found)) else FALLBACK

    def p(self, context, token):
        """Recursively, from the longest context."""
        context = tuple(context)[-(self.order - 1) :] if self.order > 1 else ()
        lower = 1 / self.size if not context else self.p(context[1:], token)
        return self._interpolate(context, token, lower)

    def _interpolate(self, context, token, lower):
        n = len(context)
        after = {g[-1]: c for g, c in self.counts[n].items() if g[:-1] == context}
        if not after:
            return lower
        taken = {t: self.discounts[n][min(c, 3)] for t, c in after.items()}
        own = after.get(token, 0) - taken.get(token, 0)
        return (own + sum(taken.values()) * lower) / sum(after.values())


@pytest.fixture(scope="module", params=VOCABULARY)
def made(request, tmp_path_factory):
    size = VOCABULARY[request.param]
    rng = np.random.default_rng(4)
    words = np.sort(rng.choice(size, 30, replace=False))
    # Zipf's law, so that all orders have n-grams seen once to many times.
    docs = [words[np.minimum(rng.zipf(1.6, n), 30) - 1].tolist() for n in (300, 1, 2, 7, 200, 400)]
    index = build(tmp_path_factory.mktemp("kn"), docs, number_tokenizer(size))
    return docs, size, index, KneserNey(index, ORDER)


def test_every_order_against_the_definition(made):
    docs, size, _, model = made
    wanted = ByDefinition(docs, size, ORDER)
    assert model.discounts == pytest.approx(np.array(wanted.discounts))
    assert wanted.discounts[1] != FALLBACK and wanted.discounts[-1] != FALLBACK
    assert model.ngrams == [len(c) + (n == 0) for n, c in enumerate(wanted.counts)]  # and <s>
    contexts = [docs[0][i : i + n] for i, n in [(0, 0), (5, 1), (9, 2), (30, 3), (60, 5)]]
    contexts += [[docs[0][3], size - 1, docs[0][4]], [size - 1], docs[1]]
    seen = {token for doc in docs for token in doc}
    for context in contexts:
        p = model.distribution(context)
        assert p.sum() == pytest.approx(1, abs=1e-12) and p.min() > 0
        for token in [*seen, min(set(range(size)) - seen)]:
            assert p[token] == pytest.approx(wanted.p(context, token), rel=1e-9)


def test_the_beginning_of_a_document_is_a_context(made):
    docs, size, _, model = made
    wanted = ByDefinition(docs, size, ORDER)
    for context in ([], docs[4][:1], docs[4][:2]):
        p = model.distribution(context, begins=True)
        for token in docs[0][:20]:
            assert p[token] == pytest.approx(wanted.p(("<s>", *context), token), rel=1e-9)
    long = docs[4][: ORDER - 1]  # too long to see the beginning
    assert (model.distribution(long, begins=True) == model.distribution(long)).all()


def test_what_follows_contexts_is_what_shorter_ones_do_not_give(made):
    docs, size, _, model = made
    first, second = model.contexts(docs[0][:1])[0], model.contexts(docs[0][:2])[1]
    shares = model.after(np.array([first, second, first]), np.array([1, 2, 1])).toarray()
    assert shares.shape == (3, size) and (shares[0] == shares[2]).all()
    p = model.unigram
    for own, context in zip(shares[:2], (docs[0][:1], docs[0][:2]), strict=True):
        wanted = model.distribution(context)
        assert own + (1 - own.sum()) * p == pytest.approx(wanted, rel=1e-5)
        p = model.distribution(docs[0][1:2])  # of the shorter context of two tokens
    assert model.after(np.empty(0, int), np.empty(0, int)).shape == (0, size)


def test_damaged_tables_are_refused(made, tmp_path):
    _, _, index, _ = made
    counts = index / FOLDER / "counts"
    whole = counts.read_bytes()
    try:
        counts.write_bytes(whole[:-4])
        with pytest.raises(InputError, match="not the tables of this index"):
            KneserNey(index)
        (index / FOLDER / "kneser_ney.json").write_text("{}")
        with pytest.raises(InputError, match="damaged"):
            KneserNey(index)
    finally:
        build_kneser_ney(index, ORDER)
    with pytest.raises(InputError, match="order 1"):
        build_kneser_ney(index, 1)


# ln p of KenLM 0.3.0 (`lmplz -o 4`, then `query -v word`) for each token of `HEARD` and its end.
HEARD = ([29, 29, 3, 13, 29, 29, 29, 0, 5, 2, 1, 2], [0, 0, 0, 1, 1, 3, 29, 0, 29, 0])
HEARD += ([3, 3, 0, 1, 1, 2, 0, 7], [29, 28, 0, 0, 0])
KENLM = [-1.5207, -1.8213, -1.5147, -1.581, -0.8487, -1.1388, -1.112, -1.2073, -2.442, -2.3321]
KENLM += [-1.3632, -0.8948, -7.1753, -1.6764, -1.3339, -1.0091, -1.7884, -2.1917, -2.4585, -1.5432]
KENLM += [-0.4589, -0.924, -1.0286, -4.6323, -3.1934, -3.4896, -1.4931, -1.4099, -2.0762, -2.3587]
KENLM += [-0.5816, -5.4622, -6.2811, -1.5207, -6.0184, -2.6568, -1.5872, -1.3961, -5.4453]


def test_against_kenlm(tmp_path):
    """Its vocabulary has an end of sentence, here a token, and <unk>, here one never seen."""
    rng, end = np.random.default_rng(4), 30
    docs = [(np.minimum(rng.zipf(1.6, n), end) - 1).tolist() for n in (300, 1, 2, 7, 200, 400)]
    index = build(tmp_path, [[*doc, end] for doc in docs], number_tokenizer(end + 2))
    model = KneserNey(index, 4)
    found = [
        np.log(model.distribution(line[:i], begins=True)[token])
        for line in HEARD
        for i, token in enumerate([*line, end])
    ]
    assert found == pytest.approx(KENLM, abs=1e-4)
