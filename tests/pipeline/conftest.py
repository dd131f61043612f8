"""Fixtures shared by the unit tests."""

import dataclasses

import pytest

from pipeline.simulation.simulate import simulate
from tests.helpers.language import write_language
from tests.helpers.simulated import SMALL, SUBJECT, Data


@pytest.fixture(scope="session")
def language(tmp_path_factory):
    """Options of the kinds that read a language model: {kind: options}."""
    return write_language(tmp_path_factory.mktemp("language"))


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A simulated subject."""
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, [SUBJECT], SMALL, seed=0)
    return Data(root)


@pytest.fixture(scope="session")
def null_data(tmp_path_factory):
    """One whose events evoke a new response each time."""
    root = tmp_path_factory.mktemp("null")
    simulate(root, [SUBJECT], dataclasses.replace(SMALL, null=True), seed=0)
    return Data(root)
