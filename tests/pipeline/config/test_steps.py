"""Steps of one job: what they make comes before what reads it."""

import pytest

from pipeline.config.load import complete, load
from pipeline.config.steps import Step, are_small, read_from_elsewhere, steps_to
from tests.conftest import REPOSITORY
from tests.helpers import regional


def step(rule, reads, makes, **wildcards):
    items = ([("", reads)], [("", makes)], [("of", lambda w: w.story)], [("", "{story}.log")])
    return Step(rule, {"story": "x", **wildcards}, *items)


def chain():
    """The words of each story, features from several, and a fit from those."""
    words = [step("words", ["raw/{story}"], "{story}.words", story=s) for s in ("a", "b", "c")]
    features = step("features", lambda w: ["a.words", "b.words"], ["f.h5"])
    return [step("fit", ["f.h5", "manifest"], "fit.h5"), features, *words]


def test_each_step_follows_those_that_it_reads_from():
    found = steps_to(["fit.h5", "b.words"], chain())
    assert [(s.rule, s.wildcards["story"]) for s in found] == [
        ("words", "a"), ("words", "b"), ("features", "x"), ("fit", "x"),
    ]  # fmt: skip
    assert read_from_elsewhere(found) == ["raw/a", "raw/b", "manifest"]


def test_what_no_step_makes_comes_from_elsewhere():
    assert steps_to(["other"], chain()) == []


def test_a_filled_step_has_plain_values():
    filled = step("words", ["raw/{story}"], "{story}.words", story="a").filled()
    assert filled == {
        "rule": "words",
        "wildcards": {"story": "a"},
        "input": [("", ["raw/a"])],
        "output": [("", "a.words")],
        "params": [("of", "a")],
        "log": [("", "a.log")],
    }


def test_braces_in_a_name_that_a_function_gives_are_no_wildcards():
    assert step("words", lambda w: [f"{w.story}/{{a}}.tsv"], "w").reads() == ["x/{a}.tsv"]
    assert step("words", lambda w: "{a}.tsv", "w").reads() == ["{a}.tsv"]


@pytest.fixture
def regions(tmp_path):
    """A configuration of two subjects with tables of named regions, and the size of a subject's."""
    subjects = regional.write_dataset(tmp_path, 2, n_rows=20)
    sizes = [sum(f.stat().st_size for f in (tmp_path / s).iterdir()) for s in subjects]
    return complete(regional.configuration(tmp_path, subjects)), max(sizes)


def test_subjects_are_small_up_to_a_bound_on_the_largest(regions):
    config, size = regions
    assert are_small(config)
    assert are_small(config | {"small_mb": size / 1e6})
    assert not are_small(config | {"small_mb": (size - 1) / 1e6})
    assert not are_small(config | {"small_mb": 0})
    assert not are_small(config | {"fit": config["fit"] | {"jobs": 2}})
    assert not are_small(config | {"data_root": "not/fetched"})
    assert not are_small(load(REPOSITORY / "config" / "tiny.yaml"))  # simulated
