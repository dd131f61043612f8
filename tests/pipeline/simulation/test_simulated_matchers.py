"""What every matcher finds in a simulated subject, and that on the null subject none gains."""

from dataclasses import asdict

import numpy as np
import pytest

from gim.infinigram.index import build_index
from gim.text.tokenizer import load_tokenizer
from pipeline.bands.registry import matcher
from pipeline.matchers import lag
from pipeline.matching.matches import Matching, keep_best

RECURRENCES = ("verbatim", "paraphrase")
# GIM may match any earlier word, and only its surest matches are kept.
SURE = {"candidates": "words", "best_fraction": 0.1}
MATCHERS = ("random", "ngram", "gim", "gimsure", "gimexact", "infinigram", "gimteacher")


def match_all(data, name, options):
    """Matches of every story, as the workflow finds them."""
    module = matcher(name)
    options = {**asdict(Matching()), **module.OPTIONS, **options}
    matched = {
        s: module.match(story, data.newest(s), np.random.default_rng([0, k]), options)
        for k, (s, story) in enumerate(data.stories.items())
    }
    fraction = options["best_fraction"]
    return matched if fraction is None else keep_best(matched, data.train, fraction)


def gain_over_control(data, matched):
    """Gain in test r over the lag control on top of word meaning, by region."""
    newest = {s: data.newest(s) for s in data.stories}
    control = lag.control(matched, newest, data.train, 0, "control", 20, 10)
    meaning = data.meaning
    own, other = (data.test_r(meaning, data.changes(m)) for m in (matched, control))
    return {region: own[region] - other[region] for region in "ABCD"}


def share_found(data, name, **options):
    """Share of the recurrences of which a row is matched to the earlier telling, by kind."""
    found = {kind: [] for kind in RECURRENCES}
    matches = {s: m.match_row for s, m in match_all(data, name, options).items()}
    for event in data.events[data.events.kind.isin(RECURRENCES)].itertuples():
        rows = np.arange(event.row_first, event.row_last + 1)
        true = rows - event.row_first + event.earlier_row_first
        found[event.kind].append((abs(matches[event.story][rows] - true) <= 1).any())
    return {kind: np.mean(values) for kind, values in found.items()}


def test_ngram_finds_verbatim_recurrences_and_not_paraphrases(data):
    found = share_found(data, "ngram")
    assert found["verbatim"] >= 0.9
    assert found["paraphrase"] <= 0.1


def test_gim_finds_more_verbatim_recurrences_the_more_moments_it_may_match(data):
    """Tellings rarely fall on the TR grid alike: states at the ends of TRs miss most of them."""
    chance = share_found(data, "random")
    rows, words = (share_found(data, "gim", candidates=c) for c in ("rows", "words"))
    assert words["verbatim"] >= 0.75
    assert words["verbatim"] > rows["verbatim"] + 0.2
    assert rows["verbatim"] > chance["verbatim"] + 0.1
    # What comes next after a paraphrase is no more alike than after anything else.
    assert abs(words["paraphrase"] - chance["paraphrase"]) < 0.15


@pytest.mark.parametrize(("name", "options"), [("ngram", {}), ("gim", SURE)], ids=["ngram", "gim"])
def test_matchers_that_find_recurrences_gain_in_b_only(data, name, options):
    gain = gain_over_control(data, match_all(data, name, options))
    assert gain["B"] > 0.05, gain
    assert all(abs(gain[region]) < 0.05 for region in "ACD"), gain


@pytest.fixture(scope="module")
def options_of(null_data, language, tmp_path_factory):
    """Options by matcher; the reference corpus speaks the language of the stories."""
    folder = tmp_path_factory.mktemp("corpus")
    texts = [" ".join(story.words["word"]) for story in null_data.stories.values()]
    (folder / "stories.txt").write_text("\n".join(texts))
    build_index([folder / "stories.txt"], load_tokenizer(), folder / "index", progress=False)
    return {
        "gimsure": SURE,
        "infinigram": {"index": str(folder / "index")},
        "gimteacher": language["gimteacher"],
    }


@pytest.mark.parametrize("name", MATCHERS)
def test_no_matcher_gains_on_the_null_subject(null_data, options_of, name):
    kind = "gim" if name == "gimsure" else name
    gain = gain_over_control(null_data, match_all(null_data, kind, options_of.get(name, {})))
    assert all(value < 0.06 for value in gain.values()), gain
    assert np.isfinite(list(gain.values())).all()
