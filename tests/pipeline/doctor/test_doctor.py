"""`python -m pipeline.doctor`: a page for an issue, with what is broken, and nothing of whom."""

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.doctor import found, installation, lines, machine
from pipeline.doctor.command import PARTS, main
from tests.conftest import REPOSITORY


def said(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return capsys.readouterr().out, int(caught.value.code or 0)


def states(own):
    return {line.name: line.state for line in own}


def test_a_sound_installation_has_nothing_broken(capsys):
    page, status = said(capsys)
    assert status == 0
    assert page.endswith("Nothing that is needed is broken.\n")
    assert all(f"{title}\n" in page for title in PARTS)
    assert max(map(len, page.splitlines())) <= 120
    as_json, status = said(capsys, "--json")
    assert status == 0
    parts = json.loads(as_json)
    assert list(parts) == list(PARTS)
    names = [line["name"] for own in parts.values() for line in own]
    for name in ("packages", "threads", "memory", "GPU", "SLURM", "encoder", "SmolLM2", "Eng1000"):
        assert names.count(name) == 1


@pytest.mark.parametrize(("kept", "compiled"), [(True, False), (False, True), (False, False)])
def test_jobs_that_compile_all_that_they_import_are_noted(kept, compiled, monkeypatch, tmp_path):
    numpy = SimpleNamespace(cached=str(tmp_path / "numpy.pyc"))
    if compiled:
        Path(numpy.cached).touch()
    monkeypatch.setattr(sys, "dont_write_bytecode", not kept)
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: numpy)
    own = list(installation._uncompiled())
    assert [line.state for line in own] == ([] if kept or compiled else ["note"])


def test_it_says_nothing_of_whom_and_no_token(capsys, tmp_path, monkeypatch):
    home = tmp_path / "alice"
    (home / "work/data/set").mkdir(parents=True)
    (home / "work/data/set/english1000sm.hf5").touch()
    (home / "work/data/index").mkdir()
    (home / "work/data/index/gim.json").touch()
    monkeypatch.chdir(home / "work")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "alice")
    monkeypatch.setenv("LOGNAME", "alice")
    monkeypatch.setenv("DS003020", f"/scratch/{getpass.getuser()}/ds003020")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    page, _ = said(capsys)
    assert "alice" not in page
    assert "secret" not in page
    assert str(tmp_path) not in page
    assert os.uname().nodename not in page
    assert "~/work" in page
    assert "/scratch/USER/ds003020: there is no derivative/TextGrids" in " ".join(page.split())
    assert "data/set/english1000sm.hf5" in page
    assert "data/index" in page


def test_packages_that_are_missing_or_old_are_broken_and_others_noted(monkeypatch):
    own = {"numpy": "1.0", "torch": None, "scipy": "1.99"}
    monkeypatch.setattr(installation, "_version", lambda name: own.get(name, "99"))
    found_lines = {line.name: line for line in installation.installation()}
    assert found_lines["numpy"].state == found_lines["torch"].state == "BROKEN"
    assert "numpy>=2.1 is needed" in found_lines["numpy"].said
    assert found_lines["tested versions"].state == "note"
    tested = installation.pinned((REPOSITORY / "constraints.txt").read_text())
    assert f"scipy 1.99 (tested: {tested['scipy']})" in found_lines["tested versions"].said


def test_a_module_that_does_not_load_is_broken(tmp_path):
    """Not a traceback: all else is still told."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy/__init__.py").write_text("raise ImportError('libm.so.6: no such version')")
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.doctor"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == ""
    assert "BROKEN: cannot be imported: ImportError: libm.so.6" in " ".join(done.stdout.split())
    assert "Broken: numpy, " in done.stdout
    assert "GPU " in done.stdout


def test_a_folder_that_cannot_be_written_to_is_broken(tmp_path, monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "NamedTemporaryFile", refuse)
    line = machine._disk("this folder", tmp_path)
    assert (line.state, "Permission denied" in line.said) == ("BROKEN", True)
    assert line.remedy


def test_an_encoder_that_is_a_pointer_is_broken(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    monkeypatch.setattr(found, "SHIPPED", tmp_path)
    line = found._encoder()
    assert (line.state, line.said) == (
        "BROKEN",
        "the file is a pointer, its content is not fetched yet",
    )


def test_slurm_is_asked_for_its_version(tmp_path, monkeypatch):
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\necho slurm 24.11.3\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (line,) = machine._slurm()
    assert line.said.startswith("slurm 24.11.3")


def test_paths_are_shortened(monkeypatch):
    monkeypatch.setattr(lines, "_names", lambda: {"bob"})
    monkeypatch.setattr(Path, "home", lambda: Path("/home/bob"))
    assert lines.shown("/home/bob/x") == "~/x"
    assert lines.shown("/home/bobby/x") == "/home/bobby/x"
    assert lines.shown("/lab/bob/x") == "/lab/USER/x"
    assert lines.shown("/lab/home/bob/x, bob/y") == "/lab/home/USER/x, USER/y"
    assert lines.shown("dlopen(/home/bob/lib/a.so): no bob") == "dlopen(~/lib/a.so): no bob"


def test_what_a_broken_module_says_tells_nobody_either(monkeypatch, tmp_path, capsys):
    """Loaders say which file they could not open, under the home folder as a rule."""
    home = tmp_path / "alice"
    monkeypatch.setenv("HOME", str(home))

    what = f"ImportError: {home}/.venv/lib/a.so: cannot open shared object file"
    monkeypatch.setattr(installation, "_not_loaded", lambda module: what)
    page, status = said(capsys)
    assert status == 1
    assert "alice" not in page
