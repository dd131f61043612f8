"""A small dataset without fault, and its configuration."""

import pytest

from tests.helpers.datasets import make_config, write_dataset
from tests.helpers.faults import SUBJECT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own for results: what validation measures of texts is kept there."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stories():
    return ["one", "two", "three", "four"]


@pytest.fixture
def config(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT])
    return make_config(tmp_path, stories, {SUBJECT: None})
