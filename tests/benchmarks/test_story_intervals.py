"""The simulation of intervals over stories: few tables, and what must hold however few."""

import pytest

from benchmarks.story_intervals import WORLDS, measure

FEW = 200  # tables; the binomial standard error of a rate of 0.05 is 0.015


@pytest.mark.parametrize(("n", "k"), [(8, 8), (8, 5)])
def test_without_an_effect_the_interval_holds_0_and_that_of_independent_stories_too_seldom(n, k):
    found = measure(WORLDS["no effect"], n, k, FEW)
    for kind in ("r", "difference"):
        assert found[kind]["story_mean_holds"] > 0.91
        assert found[kind]["independent_holds"] < 0.9
        assert found[kind]["variance"] == pytest.approx(2 * 7 / 6, abs=0.8)


def test_of_a_large_effect_it_is_wider_than_need_be():
    found = measure(WORLDS["large"], 8, 5, FEW)["r"]
    assert found["independent_above_0"] == found["story_mean_above_0"] == 1
    assert found["variance"] < 1.7
    assert found["story_mean_holds"] > 0.95
