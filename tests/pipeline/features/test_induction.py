"""What GIM makes of words, and the features of the stimulus made from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.encoder.encoder import Encoder
from gim.induction.reading import VOCABULARY, read
from gim.text.words import join_words
from pipeline.bands.registry import kind_of
from pipeline.features import induction
from tests.helpers.stories import story

WORDS = ["we", "went", "to", "the", "sea", "and", "we", "went", "to", "the", "shop", "we", "swam"]


@pytest.fixture(scope="module")
def encoder():
    return Encoder.create(width=16, dim=8, layers=1, heads=2)


def test_fuzzy_expectations_against_the_definition(encoder):
    """Every earlier word votes for the word after it, by the similarity of the states."""
    reading = read(WORDS, encoder, tau=99)
    states = encoder.vectors(*join_words(WORDS))
    for i in range(2, len(WORDS)):
        votes = dict.fromkeys(reading.vocabulary, 0.0)
        similar = encoder.similarity(states[i - 1 : i], states[: i - 1])[0]
        for j, weight in enumerate(similar):
            votes[WORDS[j + 1]] += weight
        expected = np.array(list(votes.values())) / sum(votes.values())
        np.testing.assert_allclose(reading.expected[i], expected, rtol=1e-5)
        assert reading.similarity[i] == pytest.approx(similar.max(), rel=1e-5)
        assert reading.lag[i] == i - 1 - similar.argmax()
    assert not reading.exact.any()
    assert (reading.expected[:2] == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abcde"), max_size=30), st.integers(1, 8))
def test_votes_do_not_depend_on_how_many_words_are_compared_at_once(encoder, words, block):
    whole = read(words, encoder, tau=99)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gim.induction.reading.BLOCK", block)
        parts = read(words, encoder, tau=99)
    np.testing.assert_allclose(parts.expected, whole.expected, rtol=1e-5)
    np.testing.assert_allclose(parts.similarity, whole.similarity, rtol=1e-5)
    assert whole.lag[:2].tolist() == [0, 0][: len(words)]


def test_exact_induction_answers_from_tau_on(encoder):
    reading = read(WORDS, encoder, tau=2)
    assert reading.suffix.tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 1]
    assert np.flatnonzero(reading.exact).tolist() == [8, 9, 10]
    shop = reading.expected[10]
    assert shop[reading.vocabulary.index("sea")] == 1  # "we went to the" was followed by "sea"
    assert reading.entropy[10] == 0


def test_surprisal_is_finite_and_larger_for_the_unexpected(encoder):
    reading = read(WORDS, encoder, tau=2)
    assert np.isfinite(reading.surprisal).all()
    assert reading.surprisal[0] == pytest.approx(np.log(VOCABULARY))
    assert reading.surprisal[9] < 1 < reading.surprisal[10]
    # Six of eight words so far were new (Witten and Bell): 6/14 goes to words never said.
    assert np.exp(-reading.surprisal[8]) == pytest.approx(8 / 14 + 6 / 14 / VOCABULARY)


def test_counts_of_repeated_words_and_bigrams(encoder):
    reading = read(WORDS, encoder)
    assert reading.count.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 2, 0]
    assert np.flatnonzero(reading.repeats(2)).tolist() == [7, 8, 9]
    assert np.flatnonzero(reading.repeats(3)).tolist() == [8, 9]


def test_later_words_change_nothing(encoder):
    whole, part = read(WORDS, encoder), read(WORDS[:9], encoder)
    for name in ("surprisal", "entropy", "suffix", "exact", "similarity", "lag", "count"):
        np.testing.assert_allclose(getattr(whole, name)[:9], getattr(part, name), rtol=1e-5)


def test_too_short_texts(encoder):
    for words in ([], ["a"], ["a", "b"]):
        reading = read(words, encoder)
        assert len(reading.surprisal) == len(words)
        assert (reading.expected == 0).all()


def test_the_features_sum_what_the_words_say(language):
    s = story((WORDS * 20)[:195], 60)
    options = {**kind_of("induction").options, **language["gim"], "downsample": "sum"}
    options["weighted"] = False
    values = induction.compute(s, options)
    assert values.shape == (60, len(induction.COLUMNS))
    first = 5 * 3  # words before the first kept row
    counts = read(s.words["word"].tolist(), Encoder.from_pretrained(options["encoder"])).count
    column = induction.COLUMNS.index("log_count")
    np.testing.assert_allclose(
        values[:, column], np.log1p(counts[first : first + 180]).reshape(60, 3).sum(1), rtol=1e-5
    )
    assert (values[:, induction.COLUMNS.index("words")] == 3).all()


def test_the_evidence_of_a_row_is_its_best_earlier_place(language):
    """In an earlier row: where the word came that followed the most similar state."""
    words = WORDS * 5
    told = story(words)
    options = dict(kind_of("induction").options) | language["gim"]
    found = induction.evidence(told, options)
    reading = read(words, induction.load_encoder(options["encoder"]), options["tau"])
    rows = told.grid.row_of(told.words["onset"].to_numpy())
    assert len(found.row) == told.grid.n_rows
    assert (found.match_row >= 0).sum() > 2
    for row, to, similarity in zip(found.row, found.match_row, found.similarity, strict=True):
        places = [
            (reading.similarity[i], rows[i - reading.lag[i]])
            for i in np.flatnonzero((rows == row) & (reading.lag > 0))
            if 0 <= rows[i - reading.lag[i]] < row
        ]
        if places:
            assert (similarity, to) in places and similarity == max(places)[0]
        else:
            assert to == -1


def test_mismatch_is_expected_minus_actual(language, tmp_path):
    from pipeline.embedding.eng1000 import Eng1000
    from pipeline.features import mismatch

    vocabulary = sorted(set(WORDS))
    rng = np.random.default_rng(0)
    embedding = Eng1000(rng.standard_normal((4, len(vocabulary))).astype(np.float32), vocabulary)
    embedding.save(tmp_path / "e.hf5")
    s = story((WORDS * 10)[:60], 14, words_per_row=3)
    resources = {"eng1000": str(tmp_path / "e.hf5")}
    options = {**kind_of("mismatch").options, **language["gim"], **resources, "downsample": "sum"}
    values = mismatch.compute(s, options)
    words = s.words["word"].tolist()
    reading = read(words, Encoder.from_pretrained(language["gim"]["encoder"]))
    vectors = dict(zip(vocabulary, embedding.data.T, strict=True))
    by_word = [
        sum(p * vectors[w] for p, w in zip(row, reading.vocabulary, strict=True)) - vectors[word]
        for row, word in zip(reading.expected, words, strict=True)
    ]
    np.testing.assert_allclose(values[3], np.sum(by_word[24:27], axis=0), atol=1e-5)
