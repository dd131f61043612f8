"""Fixtures shared by the unit tests."""

import pytest

from tests.unit.language import write_language


@pytest.fixture(scope="session")
def language(tmp_path_factory):
    """Options of the kinds that read a language model: {kind: options}."""
    return write_language(tmp_path_factory.mktemp("language"))
