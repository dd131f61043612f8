"""CITATION.cff: what the format requires, the method's paper, and the package's own version."""

import re
import tomllib

import pytest
import yaml

from pipeline.report.citation import cited_works
from tests.conftest import REPOSITORY

REQUIRED = {"cff-version", "message", "title", "authors"}
PERSON = {"family-names", "given-names", "name-particle", "name-suffix", "alias", "orcid"}
REFERENCE = {"type", "title", "authors", "year", "doi", "url", "notes", "conference"}


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))


def test_it_has_what_the_format_requires(citation):
    assert citation.keys() >= REQUIRED
    assert citation["cff-version"] == "1.2.0"
    for work in citation["references"]:
        assert {"type", "title", "authors"} <= work.keys() <= REFERENCE
        assert type(work["year"]) is int
        assert re.fullmatch(r"10\.\d{4,9}/\S+", work["doi"])
        assert len(work["authors"]) > 1  # all of them, not the first
        assert all(author.keys() <= PERSON for author in work["authors"])
        assert all(author.keys() >= {"family-names", "given-names"} for author in work["authors"])


def test_version_and_licence_are_the_packages(citation):
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_the_method_is_cited(citation):
    (paper,) = [work for work in citation["references"] if "2411.00066" in work["doi"]]
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Kim", "Mantena", "Yang", "Singh", "Yoon", "Gao"]
    (shown,) = [work for work in cited_works() if "2411.00066" in work["doi"]]
    assert shown["authors"] == "Kim, Mantena et al."
