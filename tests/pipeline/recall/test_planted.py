"""A region that follows what came after alike passages elsewhere is found, by its band alone.

Every row ends with a cue. What follows a cue elsewhere is a topic's word, half of the time; here it
need not come. Region A responds to the topic of the cue, region B to the words that are heard, and
region C to nothing. Cues' own vectors are random, so that no linear model of words knows topics.
"""

import numpy as np
import pytest

from pipeline.core.series import delay, zscore
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.design import Band, Design, load_band, make_band
from pipeline.fit.options import training_folds
from pipeline.fit.regression import Regression
from tests.helpers.recalled import N_ROWS, TEST, Remembering, options_of

CUES = "abcdefghijklmnopqrstuvwx"  # a token each
N_TOPICS, N_STORIES = 4, 9
NOISE = 1.5


def made_up(rng):
    """Words of a story: two words, then a cue, in every row; the cue of each row."""
    n = N_ROWS + 5
    cues = rng.integers(0, len(CUES), n)
    follow = [
        f"topic{c % N_TOPICS}" if rng.random() < 0.5 else f"word{rng.integers(40)}" for c in cues
    ]
    words = []
    for i in range(n):
        words += [follow[i - 1] if i else "word0", f"word{rng.integers(40)}", CUES[cues[i]]]
    return words, cues[5:]  # the first rows come with the eleventh volume


@pytest.fixture(scope="module")
def regions(tmp_path_factory, language):
    """Bands of words and of a memory, and the responses of the regions A, B and C."""
    rng = np.random.default_rng(3)
    stories = [f"s{i}" for i in range(N_STORIES)]
    made = {s: made_up(rng) for s in [*stories, *TEST]}
    folds = training_folds(stories, dict.fromkeys(stories, N_ROWS), 3, 0)
    texts = {s: words for s, (words, _) in made.items()}
    # A model that reads one word tells cues apart, and knows nothing of what follows them.
    metric = {"model": language["gimteacher"]["model"], "layers": 0, "context": 0, "pooled": 1}
    memory = Remembering(
        tmp_path_factory.mktemp("planted"), language, folds, texts,
        n_matches=10, n_passages=None, temperature=0.05, **metric,
    ).make()  # fmt: skip
    path, options = memory.band("meaning", what="followed", span=1)
    recalled = load_band("followed", path, options=options, delays=(1,), train=stories, test=TEST)
    heard = {
        s: memory.eng1000.vectors(words)[15:].reshape(-1, 3, 5)[:N_ROWS].mean(axis=1)
        for s, (words, _) in made.items()
    }
    words = make_band("words", heard, options_of("eng1000"), (0, 1), stories)
    topics = memory.eng1000.vectors([f"topic{k}" for k in range(N_TOPICS)])
    responses = {}
    for s in stories:
        evoked = zscore(delay(topics[made[s][1] % N_TOPICS], (1,)))
        parts = [evoked, zscore(heard[s]), 0 * evoked]
        signal = np.concatenate(parts, axis=1)
        responses[s] = (signal + NOISE * rng.standard_normal(signal.shape)).astype(np.float32)
    return folds, words, recalled, responses


def gains(folds, bands: list[Band], more: list[Band], responses) -> np.ndarray:
    """Gain in out-of-fold r by more bands, (3 regions, n_stories)."""
    r = []
    for design in (Design(tuple(bands)), Design((*bands, *more))):
        regression = Regression(design, responses, folds, np.logspace(-1, 4, 6))
        r.append(fit_block(regression, make_solver("gram", regression)).r_train)
    return (r[1] - r[0]).reshape(len(folds), 3, -1).mean(axis=2).T


def test_the_region_is_found_by_its_band_and_the_others_gain_nothing(regions):
    folds, words, recalled, responses = regions
    a, b, c = gains(folds, [words], [recalled], responses)
    assert a.mean() > 0.15 and (a > 0).all()
    for null in (b, c):
        assert abs(null.mean()) < 0.06


def test_more_of_the_words_does_not_find_it(regions):
    folds, words, _, responses = regions
    later = make_band("later", words.values, options_of("eng1000"), (1, 2), list(folds))
    a, _, _ = gains(folds, [words], [later], responses)
    assert a.mean() < 0.05
