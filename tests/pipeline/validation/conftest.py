"""A small dataset without fault, and its configuration."""

import pytest

from tests.helpers.datasets import make_config, write_dataset
from tests.helpers.faults import SUBJECT


@pytest.fixture
def stories():
    return ["one", "two", "three", "four"]


@pytest.fixture
def config(tmp_path, stories):
    write_dataset(tmp_path, stories, [SUBJECT])
    return make_config(tmp_path, stories, {SUBJECT: None})
