import logging

import pytest

from pipeline.core.progress import track


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


def test_a_loop_leaves_about_ten_lines_and_the_last(caplog):
    assert list(track(range(105), "work")) == list(range(105))
    lines = [r.getMessage() for r in caplog.records]
    assert lines[0] == "work: 10 of 105"
    assert lines[-1] == "work: 105 of 105"
    assert 10 <= len(lines) <= 12


def test_without_a_length_lines_come_at_doublings(caplog):
    assert len(list(track(iter(range(20)), "work"))) == 20
    counts = [r.getMessage() for r in caplog.records]
    assert counts == [f"work: {n}" for n in (1, 2, 4, 8, 16)] + ["work: 20, done"]


@pytest.mark.parametrize("items", [[], iter([])])
def test_nothing_to_do(items, caplog):
    assert list(track(items, "work")) == []
