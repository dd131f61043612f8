"""Folders that are made whole: what they may replace, and who may read them."""

import os
import stat

import pytest

from gim.errors import InputError
from gim.files import atomic_directory


def make(path, content="new"):
    with atomic_directory(path) as folder:
        (folder / "a").write_text(content)


@pytest.fixture
def thesis(tmp_path):
    """Somebody's folder."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("ten years")
    return tmp_path / "thesis"


def test_a_folder_of_somebody_elses_is_not_replaced(thesis):
    worked = []
    with pytest.raises(InputError, match="thesis: it is there already"), atomic_directory(thesis):
        worked.append(True)
    assert not worked, "it is said before the work"
    assert (thesis / "chapter.tex").read_text() == "ten years"
    assert [p.name for p in thesis.parent.iterdir()] == ["thesis"]


def test_a_folder_filled_during_the_work_is_not_replaced(tmp_path):
    with pytest.raises(InputError, match="already"), atomic_directory(tmp_path / "out"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "chapter.tex").write_text("ten years")
    assert (tmp_path / "out" / "chapter.tex").is_file()


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "out").write_text("ten years")
    with pytest.raises(InputError, match="already"):
        make(tmp_path / "out")


def test_a_folder_made_here_is_replaced_whole(tmp_path):
    make(tmp_path / "out", "old")
    (tmp_path / "out" / "b").write_text("of the old one")
    make(tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert not (tmp_path / "out" / "b").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out")
    assert (tmp_path / "out" / "a").is_file()


def test_what_was_there_stays_when_the_new_one_cannot_be_put_there(tmp_path, monkeypatch):
    make(tmp_path / "out", "old")
    replace = os.replace

    def fail(source, target):
        if (source / "a").is_file() and (source / "a").read_text() == "new":
            raise OSError("no")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        make(tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "old"


def test_a_link_stays_and_the_folder_it_leads_to_is_replaced(tmp_path):
    """A large disk under the name of a small one."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "out")
    for content in ("old", "new"):
        make(tmp_path / "out", content)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "out" / "a").read_text() == "new"


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o775), (0o022, 0o755), (0o077, 0o700)])
def test_the_umask_says_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_directory(tmp_path / "out") as folder:
            (folder / "a").write_text("text")
            (folder / "b").touch(0o600)  # as some libraries write their files
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode
    files = [stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "out").iterdir()]
    assert files == [mode & 0o666] * 3
