"""What tests of fits share."""

import pytest

from pipeline.fit import probes


@pytest.fixture
def few_are_enough(monkeypatch):
    """Small regressions are treated as large ones: probes, hints and a run-off."""
    monkeypatch.setattr(probes, "ENOUGH", 20)
    monkeypatch.setattr(probes, "ROWS", 0)
    monkeypatch.setattr(probes, "ERROR", 0.02)
    monkeypatch.setattr(probes, "FULL", 1)
    monkeypatch.setattr(probes, "MANY", 0)
