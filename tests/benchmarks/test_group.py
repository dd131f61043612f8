"""The simulation of tables over subjects: few tables, and what must hold however few."""

import pytest

from benchmarks.group import SUBJECTS, WORLDS, maps_of, sphere, tables_of, volume

FEW = 100  # tables; the binomial standard error of a rate of 0.05 is 0.022


@pytest.fixture(scope="module")
def rates():
    return {name: tables_of(world, FEW, seed=1) for name, world in WORLDS.items()}


def test_where_nobody_has_the_effect_it_is_seldom_found(rates):
    for name in ("nobody has it", "subjects differ about 0"):
        assert rates[name]["flip_any"] < 0.12
        assert rates[name]["subj_excludes_0"] < 0.1
        assert rates[name]["subj_covers"] > 0.9
    assert 0.03 < rates["nobody has it"]["own_positive"] < 0.07
    assert rates["nobody has it"]["stories_exclude_0"] < 0.08
    assert rates["nobody has it"]["independent_exclude_0"] > 0.1
    assert rates["nobody has it"]["prevalence_above_0"] < 0.06


def test_the_interval_over_stories_takes_these_subjects_for_all(rates):
    assert rates["subjects differ about 0"]["stories_exclude_0"] > 0.3


def test_eight_of_twelve_are_found_and_counted(rates):
    found = rates["eight of twelve have it"]
    assert found["flip"] > 0.95
    assert found["prevalence_map"] == pytest.approx(8 / SUBJECTS, abs=0.04)
    assert found["prevalence_covers"] > 0.95


def test_intervals_hold_the_population(rates):
    for name in ("each has it with probability 2/3", "with a probability from 0 to 1"):
        assert rates[name]["subj_covers"] > 0.86
        assert rates[name]["prevalence_covers"] > 0.86


def test_a_weak_effect_is_found_in_fewer_than_have_it(rates):
    found = rates["a weak effect, 2/3"]
    assert found["prevalence_map"] < found["prevalence_true"] - 0.2


def test_it_generalises_to_other_subjects_and_to_no_other_stories(rates):
    found = rates["eight of twelve, stories differ"]
    assert found["subj_covers"] < found["subj_covers_told"] - 0.03


@pytest.mark.parametrize("space", [volume, sphere])
def test_maps_of_noise_are_seldom_more(space):
    found = maps_of(space, 12, seed=2)
    assert found["cluster"] <= 0.25
    assert found["voxel"] <= 0.25
    assert found["has_clusters"] > 0
