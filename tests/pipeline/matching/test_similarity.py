"""Matches by the similarity of words' states, and the matchers made from it."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from gim.induction.distributions import (
    corpus_distributions,
    exact_distributions,
    smoothed_similarity,
)
from gim.infinigram.query import InfiniGram
from gim.text.tokenizer import load_tokenizer
from gim.text.words import join_words, tokens_of_words
from pipeline.bands.registry import matcher
from pipeline.dataset.story import Story
from pipeline.matchers import lag
from pipeline.matching.matches import NO_MATCH, Matching, keep_best, newest_match
from pipeline.matching.similarity import OPTIONS as SIMILARITY_OPTIONS
from pipeline.matching.similarity import match_states
from tests.conftest import REPOSITORY
from tests.helpers.language import TEXT
from tests.helpers.stories import random_story, story

LANGUAGE = ["gim", "gimexact", "infinigram", "gimteacher"]
N_ROWS = 80


def run(name, s, language, horizon=2, **options):
    module = matcher(name)
    newest = newest_match(s.grid.n_rows, Matching(horizon=horizon))
    options = {**asdict(Matching()), **module.OPTIONS, **language.get(name, {}), **options}
    return module.match(s, newest, np.random.default_rng(0), options)


def spoken(rng, n_words):
    """Words that the small models know, and others."""
    return rng.choice([*TEXT.split(), "w5", "other", "things"], n_words).tolist()


def by_vectors(s, vectors, horizon=2, **options):
    newest = newest_match(s.grid.n_rows, Matching(horizon=horizon))
    compare = lambda a, b: np.exp((vectors[a] @ vectors[b].T - 1) / 0.1)  # noqa: E731
    return match_states(s, newest, compare, {**SIMILARITY_OPTIONS, **options}), newest, compare


def unit_vectors(n, dim=6, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("candidates", ["rows", "words"])
@pytest.mark.parametrize("n", [1, 3, None])
def test_matches_against_brute_force(candidates, n):
    s = random_story(np.random.default_rng(0), 40)
    vectors = unit_vectors(len(s.words))
    matches, newest, compare = by_vectors(s, vectors, candidates=candidates, n_matches=n)
    onsets = s.words["onset"].to_numpy()
    states, word_row = s.grid.states(onsets), s.grid.row_of(onsets)
    for row in range(40):
        if candidates == "rows":
            places = [(states[c], c) for c in range(newest[row] + 1) if states[c] >= 0]
        else:
            places = [(w, r) for w, r in enumerate(word_row) if 0 <= r <= newest[row]]
        mine = matches.row == row
        if not places:
            assert matches.match_row[mine].tolist() == [NO_MATCH]
            continue
        similarity = [compare([states[row]], [w])[0, 0] for w, _ in places]
        order = sorted(range(len(places)), key=lambda k: (-similarity[k], -k))[:n]
        assert matches.match_row[mine].tolist() == [places[k][1] for k in order]
        weight = np.array(similarity)[order]
        np.testing.assert_allclose(matches.weight[mine], weight / weight.sum(), rtol=1e-9)


def test_sharpness_moves_from_the_mean_to_the_best():
    s = random_story(np.random.default_rng(0), 60)
    vectors = unit_vectors(len(s.words))
    flat, newest, _ = by_vectors(s, vectors, n_matches=None, sharpness=0.0)
    last = flat.row == 59
    np.testing.assert_allclose(flat.weight[last], 1 / (newest[59] + 1))
    sharp = by_vectors(s, vectors, n_matches=None, sharpness=50.0)[0]
    hard = by_vectors(s, vectors)[0]
    assert sharp.match_row[np.searchsorted(sharp.row, 59)] == hard.match_row[59]
    assert sharp.weight[sharp.row == 59].max() > 0.9


def test_a_word_carried_over_silence_is_not_its_own_match():
    words = story([f"w{k}" for k in range(130)], 40)
    kept = np.ones(len(words.words), bool)
    kept[60:66] = False  # two silent TRs
    s = Story("story", words.words[kept].reset_index(drop=True), words.grid)
    assert len(set(s.grid.states(s.words["onset"].to_numpy())[14:18])) < 4
    matches = by_vectors(s, np.ones((len(s.words), 2)) / np.sqrt(2), horizon=1)[0]
    free = match_states(
        s, np.arange(40) - 1, lambda a, b: np.ones((len(a), len(b))), SIMILARITY_OPTIONS
    )
    states = s.grid.states(s.words["onset"].to_numpy())
    for m in (matches, free):
        found = m.match_row != NO_MATCH
        assert (states[m.match_row[found]] < states[m.row[found]]).all()


@pytest.mark.parametrize("name", LANGUAGE)
@pytest.mark.parametrize("candidates", ["rows", "words"])
def test_words_after_a_row_do_not_change_its_match(name, candidates, language):
    """Similarities of the authors' code were filtered over later words (error 3)."""
    s = story(spoken(np.random.default_rng(0), (N_ROWS + 5) * 3), N_ROWS)
    later = s.words["onset"].to_numpy() >= (50 + 6) * s.grid.tr  # after row 50's end
    changed = s.words.copy()
    changed.loc[later, "word"] = "other"
    before = run(name, s, language, candidates=candidates)
    after = run(name, Story("story", changed, s.grid), language, candidates=candidates)
    assert s.grid.row_of(s.words["onset"].to_numpy()[later]).min() == 51
    np.testing.assert_array_equal(after.match_row[:51], before.match_row[:51])
    np.testing.assert_array_equal(after.similarity[:51], before.similarity[:51])
    assert (after.match_row[51:] != before.match_row[51:]).any()


@pytest.mark.parametrize("name", LANGUAGE)
def test_similarity_and_lag_do_not_reward_fast_speech(name, language):
    """The maximum of summed similarities tracked the words per TR, r = 0.72 (error 3)."""
    rng = np.random.default_rng(1)
    grid_rows = 300
    per_row = rng.integers(1, 8, grid_rows + 5)
    onsets = np.concatenate([2 * k + np.arange(n) * 2 / n for k, n in enumerate(per_row)])
    s = story(spoken(rng, len(onsets)), grid_rows)
    s.words["onset"] = onsets
    matches = run(name, s, language)
    rows = np.arange(50, grid_rows)
    speed = per_row[5 + rows]
    for value in (matches.similarity[rows], rows - matches.match_row[rows]):
        assert abs(np.corrcoef(value, speed)[0, 1]) < 0.2


@pytest.mark.parametrize(("name", "occurrence"), [("gim", 2), ("gimexact", 3)])
def test_a_repeated_passage_is_found(name, occurrence, language):
    """Exact induction predicts nothing at a first occurrence: the third is like the second."""
    letters = np.random.default_rng(0).choice(list("abcdefghiklmnoprstuvw"), (400, 5))
    words = ["".join(word) for word in letters]
    for start in (180, 270):
        words[start : start + 30] = words[90:120]  # ten TRs
    matches = run(name, story(words, 100), language)
    rows = np.arange(2, 10) + 30 * occurrence - 5  # from the third repeated TR on
    assert (matches.match_row[rows] == rows - 30).mean() > 0.5  # few tokens begin other words too


def test_the_whole_story_is_searched(language):
    """Stories beyond a fixed length were cut silently, contexts reset (errors 7 and 8)."""
    rng = np.random.default_rng(0)
    n_rows = 1300  # more than 3,218 words
    words = [f"w{k}" for k in rng.permutation((n_rows + 5) * 3)]
    words[3870:3885] = words[60:75]
    matches = run("gim", story(words, n_rows), language)
    assert (matches.match_row[1287:1290] == np.arange(1287, 1290) - 1270).all()


def test_best_fraction_keeps_the_most_similar_by_a_training_threshold():
    s = random_story(np.random.default_rng(0), 60)
    by_story = {
        name: by_vectors(s, unit_vectors(len(s.words), seed=k), n_matches=n)[0]
        for k, (name, n) in enumerate([("a", 1), ("b", 2), ("test", 1)])
    }
    kept = keep_best(by_story, ["a", "b"], 0.25)
    best = {name: pd.Series(m.similarity).groupby(m.row).max() for name, m in by_story.items()}
    threshold = np.nanquantile(pd.concat([best["a"], best["b"]]), 0.75, method="higher")
    for name, m in kept.items():
        assert np.array_equal(np.unique(m.row), np.arange(60))
        found = np.unique(m.row[m.match_row != NO_MATCH])
        assert np.array_equal(found, best[name].index[best[name] >= threshold])
        weights = np.bincount(m.row, m.weight, minlength=60)
        assert set(np.round(weights, 9)) == {0.0, 1.0}
    other = keep_best({**by_story, "test": by_story["a"]}, ["a", "b"], 0.25)
    np.testing.assert_array_equal(other["b"].row, kept["b"].row)


# --- distributions


def test_similarity_is_the_divergence_of_smoothed_distributions(language):
    tokenizer = load_tokenizer()
    ids, last = tokens_of_words(tokenizer, ["it", "was", "the", "best", "of", "it", "was", "the"])
    index = InfiniGram(language["infinigram"]["index"], tokenizer)
    for rows in (
        exact_distributions(ids, last, tokenizer.vocab_size),
        corpus_distributions(index, ids, last),
    ):
        dense = rows.toarray()
        np.testing.assert_allclose(dense.sum(1), 1)
        smooth = 0.9 * dense + 0.1 / dense.shape[1]
        expected = [[np.exp(-(entropy(p, q) + entropy(q, p)) / 2) for q in smooth] for p in smooth]
        np.testing.assert_allclose(smoothed_similarity(0.1)(rows, rows), expected, rtol=1e-6)


def test_corpus_distributions_are_those_of_single_queries(language):
    tokenizer = load_tokenizer()
    index = InfiniGram(language["infinigram"]["index"], tokenizer)
    ids, last = tokens_of_words(tokenizer, TEXT.split()[12:20])
    rows = corpus_distributions(index, ids, last, window=4).toarray()
    for row, place in zip(rows, last, strict=True):
        tokens, counts = index.followers(index.longest(ids[max(0, place - 3) : place + 1]))
        np.testing.assert_allclose(row[tokens], counts / counts.sum())
        assert row[tokens].sum() == pytest.approx(1)


# --- words and tokens


@pytest.mark.parametrize("source", [None, "gpt2", "llama2"])
def test_tokens_of_words_end_where_the_words_end(source, request):
    if source:
        source = request.getfixturevalue("shared") / "tokenizers" / source
    tokenizer = load_tokenizer(source)
    words = ["i", "don't", "know", "unpronounceableness", "café", "at", "9", "o'clock"]
    ids, last = tokens_of_words(tokenizer, words)
    text, ends = join_words(words)
    assert len(last) == len(words) and last[-1] == len(ids) - 1
    for word, end, place in zip(words, ends, last, strict=True):
        assert tokenizer.decode(ids[: place + 1]).strip() == text[:end]
        assert text[:end].endswith(word)
        np.testing.assert_array_equal(ids[: place + 1], tokenizer.encode(text[:end]))


# --- lag control of soft matches


def soft(seeds=(0, 1, 2)):
    s = random_story(np.random.default_rng(0), 60)
    found = {
        name: by_vectors(s, unit_vectors(len(s.words), seed=k), n_matches=None)
        for name, k in zip(["a", "b", "test"], seeds, strict=True)
    }
    return {k: v[0] for k, v in found.items()}, {k: v[1] for k, v in found.items()}


def test_soft_lag_control_has_the_average_weight_of_each_lag():
    by_story, newest = soft()
    control = lag.control(by_story, newest, ["a", "b"], 0, "gimlag", draws=20, bins=1)["test"]
    table = pd.concat(
        pd.DataFrame({"lag": m.row - m.match_row, "w": m.weight})[m.match_row != NO_MATCH]
        for m in (by_story["a"], by_story["b"])
    )
    mean = table.groupby("lag")["w"].mean()  # every possible candidate has a soft weight
    for row in (10, 59):
        mine = control.row == row
        expected = mean.loc[row - control.match_row[mine]]
        assert len(expected) == newest["test"][row] + 1
        np.testing.assert_allclose(control.weight[mine], expected / expected.sum())


def test_soft_lag_control_knows_training_stories_only():
    by_story, newest = soft()
    before = lag.control(by_story, newest, ["a", "b"], 0, "x", 20, 4)["test"]
    by_story["test"] = soft(seeds=(0, 1, 9))[0]["test"]
    after = lag.control(by_story, newest, ["a", "b"], 0, "x", 20, 4)["test"]
    np.testing.assert_array_equal(before.weight, after.weight)


def test_the_repository_has_no_index_of_its_own():
    """A wrong index path is an error, not a query to a public server (error 16)."""
    from gim.errors import InputError

    s = random_story(np.random.default_rng(0), 20)
    with pytest.raises(InputError, match="nowhere"):
        run("infinigram", s, {}, index=str(REPOSITORY / "nowhere"))
