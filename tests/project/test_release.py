"""A release: its workflow runs what there is, and the pages of all versions stay."""

import importlib.util
import re

import pytest
import yaml
from packaging.version import InvalidVersion

from tests.conftest import REPOSITORY

SITE = REPOSITORY / "docs" / "site"


@pytest.fixture(scope="module")
def release():
    path = REPOSITORY / ".github" / "workflows" / "release.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def versions():
    spec = importlib.util.spec_from_file_location("versions", SITE / "versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_nothing_is_published_that_was_not_tested(release):
    jobs = release["jobs"]
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true
    assert jobs["image"]["needs"] == "test"
    assert set(jobs["publish"]["needs"]) == {"test", "image"}
    writes = {name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()}
    assert release["permissions"] == {"contents": "read"} and writes == {"image", "publish"}


def test_its_commands_name_targets_and_files_that_are_there(release):
    said = "\n".join(run for job in release["jobs"].values() for run in commands(job))
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)$", said, re.MULTILINE)
    assert set(targets) == {"lint", "test", "site"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    files = "container/Containerfile docs/site/versions.py lock-linux-cp311.txt CHANGELOG.md"
    for name in [*files.split(), "config/tiny.yaml"]:
        assert name.rpartition("/")[2] in said and (REPOSITORY / name).is_file()


def test_the_check_of_the_tag_finds_the_versions_where_they_are(release):
    """The lines that the workflow greps for are those of the files, of whatever version."""
    assert re.search(r'^version = "[\w.]+"$', (REPOSITORY / "pyproject.toml").read_text(), re.M)
    assert re.search(r"^version: [\w.]+$", (REPOSITORY / "CITATION.cff").read_text(), re.M)
    assert re.search(r"^## \[", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)
    check = release["jobs"]["test"]["steps"][2]["run"]
    assert check.count("grep -q") == 3


def site(folder, says):
    folder.mkdir()
    (folder / "index.html").write_text(says)
    return folder


def test_pages_of_all_versions_stay_and_the_newest_is_led_to(versions, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for version in ("0.9.0", "0.10.0", "0.2.0", "1.0.0rc1"):
        versions.publish(site(tmp_path / version, version), pages, version)
    assert "url=0.10.0/index.html" in (pages / "index.html").read_text()
    listed = re.findall(r'href="([^/]+)/', (pages / "versions.html").read_text())
    assert listed == ["1.0.0rc1", "0.10.0", "0.9.0", "0.2.0"]
    versions.publish(site(tmp_path / "again", "again"), pages, "0.9.0")
    assert (pages / "0.9.0" / "index.html").read_text() == "again"
    assert (pages / "0.10.0" / "index.html").read_text() == "0.10.0"


def test_what_is_no_version_is_refused_before_anything_is_written(versions, tmp_path):
    with pytest.raises(InvalidVersion):
        versions.publish(site(tmp_path / "site", "x"), tmp_path, "../elsewhere")
    assert {path.name for path in tmp_path.iterdir()} == {"site"}
