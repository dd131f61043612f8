"""The check of a configuration that somebody else wrote."""

import pytest
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from pipeline.config.check import check, main
from pipeline.config.load import complete, load, read_file
from pipeline.core.errors import ProblemError
from tests.conftest import REPOSITORY

TINY = REPOSITORY / "config" / "tiny.yaml"
PROGRAM = "__use_yte__: true\nname: ?__import__('pathlib').Path({ran!r}).touch()\n"


@pytest.fixture
def program(tmp_path):
    """A configuration that is a program, and the file that it makes when it is run."""
    path, ran = tmp_path / "evil.yaml", tmp_path / "ran"
    path.write_text(PROGRAM.format(ran=str(ran)))
    return path, ran


def test_a_program_is_refused_and_not_run(program):
    path, ran = program
    for read in (read_file, load):
        with pytest.raises(ProblemError) as caught:
            read(path)
        assert "is a program" in str(caught.value)
    with pytest.raises(SystemExit) as left:
        main([str(TINY), str(path)])
    assert "is a program" in str(left.value)
    assert not ran.exists()
    load_configfile(path)  # what Snakemake does with it, before it reads any rule
    assert ran.exists()


@pytest.mark.parametrize("value", ["true", "false", "null", "[1]"])
def test_whatever_the_key_holds(tmp_path, value):
    path = tmp_path / "evil.yaml"
    path.write_text(TINY.read_text() + f'"__use_yte__": {value}\n')
    with pytest.raises(ProblemError, match="is a program"):
        read_file(path)


def test_profiles_are_looked_at_too(program, tmp_path, monkeypatch):
    path, ran = program
    for folder in ("mine", "profiles/default"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine" / "config.v9+.yaml").write_bytes(path.read_bytes())
    with pytest.raises(SystemExit, match="is a program"):
        main([str(TINY), "--profile", str(tmp_path / "mine")])
    monkeypatch.chdir(tmp_path)  # Snakemake takes this one unasked
    path.rename(tmp_path / "profiles" / "default" / "config.yaml")
    with pytest.raises(SystemExit, match="is a program"):
        main([str(TINY)])
    assert not ran.exists()


def test_it_says_what_would_be_used(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DS003020", "/data/ds003020")
    main([str(REPOSITORY / "config" / "lebel.yaml")])
    said = capsys.readouterr().out
    for part in ("/data/ds003020", "results/lebel", "https://s3.amazonaws.com/openneuro.org"):
        assert part in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["full", "horizons", "llm"])
def test_overlays_are_merged_as_snakemake_does(name):
    files = [REPOSITORY / "config" / "realdata.yaml", REPOSITORY / f"config/overlays/{name}.yaml"]
    config = read_file(files[0])
    update_config(config, read_file(files[1]))
    assert check(files) == complete(config)


def test_overlays_and_what_is_wrong(capsys, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("fit: {n_folds: 30}\n")
    with pytest.raises(SystemExit, match="4 training stories, fewer than the 30 folds"):
        main([str(TINY), str(overlay)])
    overlay.write_text("name: another\n")
    main([str(TINY), str(overlay)])
    assert "results/another" in capsys.readouterr().out
