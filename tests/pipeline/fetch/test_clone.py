"""git-annex is called only where the folder's own configuration lets nothing else be run by it."""

import os
import subprocess

import pytest

from pipeline.fetch.fetch import fetch
from tests.helpers.annexed import HF5, clone

HOSTILE = {
    "core.fsmonitor": "touch ran",
    "core.hooksPath": "hooks",
    "core.sshCommand": "touch ran; ssh",
    "core.pager": "touch ran",
    "include.path": "../evil",
    "alias.annex": "!touch ran",
    "annex.freezecontent-command": "touch ran",
    "annex.mine-retrieve-hook": "touch ran",
    "annex.http-headers-command": "touch ran",
    "remote.origin.annex-cost-command": "touch ran",
    "remote.origin.annex-ssh-options": "-oProxyCommand=touch",
    "remote.a.url.annex-start-command": "touch ran",
    "remote.origin.uploadpack": "touch ran",
    "filter.annex.smudge": "touch ran",
    "filter.mine.process": "touch ran",
    "credential.helper": "!touch ran",
    "protocol.ext.allow": "always",
}
USUAL = {
    "annex.uuid": "38df98a4-8b2e-41c8-b387-288d4ac84026",
    "annex.version": "10",
    "filter.annex.smudge": "git-annex smudge -- %f",
    "filter.annex.clean": "git-annex smudge --clean -- %f",
    "filter.annex.process": "git-annex filter-process",
    "remote.origin.url": "https://github.com/OpenNeuroDatasets/ds003020.git",
    "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
    "remote.s3-PUBLIC.annex-s3": "true",
    "remote.s3-PUBLIC.annex-uuid": "51dea4d9-e4c3-4a78-a222-18a3ca224a3a",
    "branch.main.remote": "origin",
    "branch.main.merge": "refs/heads/main",
    "user.email": "a@b",
}
PROGRAM = '#!/bin/sh\necho "$GIT_CONFIG_PARAMETERS" "$@" > "{called}"\nexit 1\n'


@pytest.fixture
def repository(source, tmp_path, monkeypatch):
    """A clone as git-annex leaves it, and a git-annex that only notes that it was called."""
    root, program = tmp_path / "data", tmp_path / "bin" / "git-annex"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(called=tmp_path / "called"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    clone(source, root)
    subprocess.run(["git", "init", "-q", root], check=True)
    for name, value in USUAL.items():
        subprocess.run(["git", "-C", root, "config", name, value], check=True)
    return root


def test_a_usual_clone_is_left_to_git_annex(config, repository, tmp_path):
    fetch(config)
    called = (tmp_path / "called").read_text()
    assert "core.fsmonitor" in called
    assert "core.hookspath" in called.lower()
    assert f"get -J1 -- {HF5.split('/')[0]}" in called


@pytest.mark.parametrize(("name", "value"), HOSTILE.items(), ids=HOSTILE)
def test_with_settings_that_run_programs_it_is_not(
    config, repository, source, tmp_path, caplog, name, value
):
    subprocess.run(["git", "-C", repository, "config", name, value], check=True)
    fetch(config)
    assert not (tmp_path / "called").exists()
    assert name.lower() in caplog.text.lower()
    assert (repository / HF5).read_bytes() == (source / HF5).read_bytes()


def test_with_hooks_of_git_annex_it_is_not(config, repository, tmp_path, caplog):
    hook = repository / ".git" / "hooks" / "freezecontent-annex"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    fetch(config)
    assert not (tmp_path / "called").exists()
    assert "hooks/freezecontent-annex" in caplog.text
