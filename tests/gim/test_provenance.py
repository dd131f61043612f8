"""Whose commit a result names: the checkout's, what pip noted, or none."""

import json
import subprocess

import pytest

from gim import provenance


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A copy of the module, in a folder of its own, in place of the one that is imported."""
    path = tmp_path / "place" / "gim" / "provenance.py"
    path.parent.mkdir(parents=True)
    path.write_text("")
    monkeypatch.setattr(provenance, "FILE", path)
    return path


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit_all(folder):
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


def test_the_commit_is_the_checkouts_and_says_if_there_are_changes(file):
    head = commit_all(file.parents[1])
    assert provenance.commit() == head
    file.write_text("changed")
    assert provenance.commit() == f"{head}-dirty"


@pytest.mark.parametrize("depth", [1, 2], ids=["untracked at its root", "tracked below it"])
def test_another_repositorys_commit_is_not_ours(file, depth):
    root = file.parents[depth]
    if depth == 1:
        (root / ".gitignore").write_text("gim/")
    commit_all(root)
    assert provenance.commit() == "unknown"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({"url": "https://x/y", "vcs_info": {"vcs": "git", "commit_id": "ab12"}}, "ab12"),
        ({"url": "file:///somewhere", "dir_info": {}}, "unknown"),
        (None, "unknown"),
    ],
    ids=["from a repository", "from a folder", "from an index"],
)
def test_an_installed_package_has_the_commit_that_pip_noted(file, monkeypatch, origin, expected):
    site = file.parents[1]
    folder = site / "gim_encoding-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: gim-encoding\nVersion: 0.1.0\n")
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(site)
    assert provenance.commit() == expected
