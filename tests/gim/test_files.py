"""Files appear whole, and nothing else is written."""

import os
import stat

import pytest

from gim.files import atomic_file


def test_a_link_under_the_temporary_name_is_not_written_through(tmp_path):
    mine = tmp_path / "bashrc"
    mine.write_text("mine")
    (tmp_path / f".partial-{os.getpid()}-a.txt").symlink_to(mine)
    with atomic_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("content")
    assert mine.read_text() == "mine"
    assert (tmp_path / "a.txt").read_text() == "content"


def test_two_at_a_time_do_not_share_a_temporary_name(tmp_path):
    with atomic_file(tmp_path / "a.txt") as first, atomic_file(tmp_path / "a.txt") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a.txt").read_text() == "first"


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o664), (0o077, 0o600)])
def test_modes_are_the_users(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode
