"""Partial files: links are not followed, one download at a time, modes as the user's umask says."""

import fcntl
import os
import threading
import time

import pytest

from pipeline.fetch import part
from pipeline.fetch.annex import Key
from pipeline.fetch.fetch import fetch
from pipeline.fetch.https import download
from tests.helpers.annexed import HF5, clone, key_of

CONTENT = b"x" * 3000
MAKE = {
    "link": lambda path, other: path.symlink_to(other),
    "second-name": lambda path, other: path.hardlink_to(other),
}


@pytest.fixture
def wanted(server, tmp_path, monkeypatch):
    """Address, target and key of a file on the server."""
    monkeypatch.setattr(part, "POLL", 0.01, raising=False)
    server.pages["/a.hf5"] = CONTENT
    return f"{server.url}/a.hf5", tmp_path / "a.hf5", Key.parse(key_of(CONTENT, ".hf5"))


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("is_keyed", [True, False], ids=["keyed", "unkeyed"])
def test_another_file_under_the_name_is_neither_read_nor_written(wanted, tmp_path, make, is_keyed):
    url, target, key = wanted
    mine = tmp_path / "bashrc"
    mine.write_bytes(b"mine")
    make(target.with_name(".a.hf5.part"), mine)
    download(url, target, key if is_keyed else None)
    assert mine.read_bytes() == b"mine"
    assert target.read_bytes() == CONTENT
    assert not target.is_symlink()


def test_a_link_that_leads_nowhere_makes_no_file_there(wanted, tmp_path):
    url, target, key = wanted
    target.with_name(".a.hf5.part").symlink_to(tmp_path / "elsewhere")
    download(url, target, key)
    assert not (tmp_path / "elsewhere").exists()
    assert target.read_bytes() == CONTENT


def test_another_download_of_the_file_is_waited_for(wanted, server):
    _, target, _ = wanted
    path = target.with_name(".a.hf5.part")
    with path.open("w+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=download, args=wanted)
        thread.start()
        time.sleep(0.1)
        assert not server.asked
        other.write(CONTENT)
        other.flush()
        os.replace(path, target)
    thread.join(10)
    assert not thread.is_alive()
    assert not server.asked
    assert target.read_bytes() == CONTENT
    assert not path.exists()


def test_files_with_one_content_come_once(config, source, server, tmp_path, monkeypatch):
    monkeypatch.setattr(part, "POLL", 0.01, raising=False)
    clone(source, tmp_path / "data")  # all transcripts are links to one object
    server.delay = 0.05
    fetch(config, jobs=4)
    assert sum(n for path, n in server.asked.items() if path.startswith("/files/") and
               path.endswith(".TextGrid")) == 1  # fmt: skip


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o664), (0o077, 0o600)])
def test_modes_are_the_users(config, tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        fetch(config)
    finally:
        os.umask(before)
    assert (tmp_path / "data" / HF5).stat().st_mode & 0o777 == mode
