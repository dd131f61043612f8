"""The audit of a memory finds nothing in what the stages write, and every leak that is planted."""

import h5py
import numpy as np
import pytest

from pipeline.dataset.story import read_story
from pipeline.recall import contexts, recall
from pipeline.recall.checks import MemoryAudit
from pipeline.recall.memory import Pool
from tests.helpers.recalled import TEST, Remembering


@pytest.fixture
def made(tmp_path, language):
    return Remembering(tmp_path, language, n_matches=4, n_passages=30)


def audit(made):
    bands = {kind: made.band(kind)[0] for kind in ("passages", "meaning")}
    check = MemoryAudit(
        band="memory", options=made.options, contexts=made.path("contexts"),
        recall=made.path("recall"), folds=made.folds, test=TEST, blocks={}, seed=0, features=bands,
    )  # fmt: skip
    leaks = check.leaks(["s1", "test"])
    records = []
    for row in (3, 20):
        record, found = check.row(read_story(made.dataset, made.words, "test"), row)
        leaks += found
        records.append(record["newest_word_seconds"])
    return leaks, records


def test_nothing_is_found_in_what_the_stages_write(made):
    leaks, newest = audit(made.make())
    assert leaks == []
    assert all(-2 < seconds < 0 for seconds in newest)  # the last word of the TR


def test_a_memory_of_held_out_stories_is_found(made, monkeypatch):
    monkeypatch.setattr(Pool, "without", lambda pool, out: np.arange(pool.contexts.n))
    assert any("without the folds (0,) it knows" in leak for leak in audit(made.make())[0])


def test_a_story_that_recalls_itself_is_found(made, monkeypatch):
    monkeypatch.setattr(recall.Searcher, "search", _search_all)
    assert any("may not have" in leak for leak in audit(made.make())[0])


def _search_all(self, memory, name, asked, original=recall.Searcher.search):
    return original(self, memory, "nobody", asked)


def test_contexts_that_listen_ahead_are_found(made, monkeypatch):
    original = contexts.word_states

    def ahead(words, at, n_words, options):
        return original(words, np.minimum(at + 1, len(words) - 1), n_words, options)

    monkeypatch.setattr(contexts, "word_states", ahead)
    assert any("words after its end" in leak for leak in audit(made.make())[0])


def test_a_space_fitted_on_all_stories_is_found(made, monkeypatch):
    """Held-out stories may not even move the mean about which states are compared."""
    original = recall.Searcher.memory

    def moved(self, out):
        memory = original(self, out)
        mean = self.pool.contexts.states.mean(axis=0)
        space = type(memory.space)(mean, memory.space.map)
        states = self.pool.contexts.states[memory.index]
        return type(memory)(memory.index, space, space.place(states))

    monkeypatch.setattr(recall.Searcher, "memory", moved)
    assert any("not what the known stories give" in leak for leak in audit(made.make())[0])


def test_features_changed_by_hand_are_found(made):
    made.make()
    path, _ = made.band("meaning")
    check = MemoryAudit(
        band="memory", options=made.options, contexts=made.path("contexts"),
        recall=made.path("recall"), folds=made.folds, test=TEST, blocks={}, seed=0,
        features={"meaning": path},
    )  # fmt: skip
    with h5py.File(made.path("recall"), "a") as file:
        weight = file["recalled/all/test/weight"]
        weight[:] = weight[:][:, ::-1]
    assert any("is recalled is not" in leak for leak in check.leaks(["test"]))
