"""The stories of the simulated subject: grammar, timing, events, meanings."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy import stats

from pipeline.core.random import generator
from pipeline.simulation import lexicon
from pipeline.simulation.grammar import DISTINCT, FILLER, FRAMES, draw_phrases, ngrams
from pipeline.simulation.settings import N_PHRASES, Settings
from pipeline.simulation.story import tell


@cache
def told(seed, rows=(150, 250)):
    return tell("story", generator(seed), Settings(rows=rows))


SEEDS = pytest.mark.parametrize("seed", range(8))


@SEEDS
def test_stories_have_the_promised_rows_rate_and_events(seed):
    story = told(seed)
    n_rows = story.grid.n_rows
    assert 150 <= n_rows <= 250
    assert 2.5 <= len(story.words) / story.words[-1][1] <= 3.5
    events = [o for o in story.occurrences if o.kind != "decoy"]
    rows = {row for o in events for row in range(o.row_first, o.row_last + 1)}
    assert len(rows) >= 0.3 * n_rows
    assert min(rows) >= 0 and max(rows) < n_rows
    assert max(o.row_last - o.row_first + 1 for o in events) <= 3
    kinds = Counter(o.kind for o in story.occurrences)
    assert abs(kinds["verbatim"] - kinds["paraphrase"]) <= 2
    assert kinds["decoy"] >= 4


@SEEDS
def test_lags_are_long_and_varied_and_phases_jittered(seed):
    again = [o for o in told(seed).occurrences if o.earlier]
    lags = [o.row_first - o.earlier.row_first for o in again]
    assert min(lags) >= 15
    assert len(set(lags)) > len(lags) / 3
    shifts = [(o.onset - o.earlier.onset) % 2.0 for o in again]
    assert stats.kstest(np.array(shifts) / 2, "uniform").pvalue > 1e-4


@SEEDS
def test_verbatim_repeats_the_words_and_paraphrase_shares_none(seed):
    before: dict[int, list] = {}
    for o in told(seed).occurrences:
        earlier = before.setdefault(o.phrase, [])
        assert o.earlier is (earlier[-1] if earlier else None)
        assert o.occurrence == len(earlier)
        if o.kind == "verbatim" or (o.kind == "decoy" and earlier):
            assert o.words == o.earlier.words
        if o.kind == "paraphrase":
            for e in earlier:
                assert not set(ngrams(o.words, 2)) & set(ngrams(e.words, 2))
                assert not set(o.words) & set(e.words)
        earlier.append(o)


@SEEDS
def test_words_follow_one_another_and_occurrences_are_among_them(seed):
    story = told(seed)
    entries = sorted(story.words + story.markers)
    times = np.array([entry[:2] for entry in entries])
    assert (times[:, 0] < times[:, 1]).all()
    assert (times[1:, 0] == times[:-1, 1]).all()
    for o in story.occurrences:
        words = [w for w in story.words if o.onset <= w[0] < o.offset]
        assert tuple(word for _, _, word in words) == o.words
        assert words[-1][1] == o.offset
        first, last = story.grid.row_of(np.array([words[0][0], words[-1][0]]))
        assert (first, last) == (o.row_first, o.row_last)


@SEEDS
def test_filler_repeats_no_long_ngram(seed):
    story = told(seed)
    inside = [any(o.onset <= w[0] < o.offset for o in story.occurrences) for w in story.words]
    words = ["|" if told_of else w[2] for w, told_of in zip(story.words, inside, strict=True)]
    runs = Counter(n for n in ngrams(words, 5) if "|" not in n)
    assert sum(n - 1 for n in runs.values()) <= 2


@SEEDS
def test_no_two_events_of_a_story_have_a_concept_in_common(seed):
    phrases = draw_phrases(np.random.default_rng(seed), N_PHRASES)
    concept = {w: " ".join(c) for k in DISTINCT for c in lexicon.concepts(k) for w in c}
    told_of = [{concept[w] for w in p.wordings[0] if w in concept} for p in phrases]
    assert all(len(concepts) == len(DISTINCT) for concepts in told_of)
    assert len(set.union(*told_of)) == len(DISTINCT) * N_PHRASES


@SEEDS
def test_an_stands_before_vowels_only(seed):
    words = [word for _, _, word in told(seed).words]
    articles = [pair for pair in ngrams(words, 2) if pair[0] in ("a", "an")]
    assert articles
    assert all((a == "an") == (word[0] in "aeiou") for a, word in articles)


def test_frames_share_no_function_word():
    function = [{w for w in frame.split() if "{" not in w} for frame in FRAMES]
    for i, one in enumerate(function):
        assert all(not one & other for other in function[:i])


def test_every_word_has_one_meaning():
    counts = Counter(w for c in lexicon.CATEGORIES for w in lexicon.words(c))
    assert [w for w, n in counts.items() if n > 1] == []
    fixed = {w for frame in (*FRAMES, *FILLER) for w in frame.split() if "{" not in w}
    assert fixed <= set(lexicon.vocabulary())
    assert all(len(c) == len(FRAMES) for k in lexicon.EVENT_WORDS for c in lexicon.concepts(k))


def test_synonyms_are_similar():
    vectors = lexicon.embedding(np.random.default_rng(0), rank=12, n_dims=985)
    r = np.corrcoef(vectors.T)
    index = {word: i for i, word in enumerate(lexicon.vocabulary())}
    groups = [c for k in lexicon.EVENT_WORDS for c in lexicon.concepts(k)]
    same = [r[index[g[0]], index[g[1]]] for g in groups]
    other = [r[index[a[0]], index[b[0]]] for a, b in zip(groups[1:], groups, strict=False)]
    assert np.min(same) > 0.7
    assert np.mean(other) < 0.4


@SEEDS
def test_short_stories_keep_the_promises(seed):
    story = told(seed, (55, 65))
    events = [o for o in story.occurrences if o.kind != "decoy"]
    rows = {row for o in events for row in range(o.row_first, o.row_last + 1)}
    assert len(rows) >= 0.3 * story.grid.n_rows
    assert max(rows) < story.grid.n_rows
    again = [o for o in events if o.earlier]
    assert len(again) >= 2
    assert min(o.row_first - o.earlier.row_first for o in again) >= 15


def test_rows_are_the_trimmed_volumes():
    grid = told(0, (60, 60)).grid
    assert (grid.n_rows, grid.n_scanned) == (60, 80)
