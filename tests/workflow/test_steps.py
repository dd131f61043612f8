"""A job of several steps runs each rule's script as Snakemake would, and says which one failed."""

import gc
import logging
import runpy
import sys
from types import SimpleNamespace

import pytest

import __main__
from tests.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "workflow" / "scripts"
WRITES = """
from pathlib import Path
from job import snakemake, work
with work(snakemake):
    said = [snakemake.params.text, snakemake.wildcards.subject, *snakemake.input.words]
    said += [str(snakemake.wildcards.get("chunk")), snakemake.config["name"], snakemake.rule]
    Path(snakemake.output[0]).write_text(" ".join(said))
"""
FAILS = """
from job import snakemake, work
from pipeline.core.errors import Problem, ProblemError
with work(snakemake):
    raise ProblemError(Problem("a.tsv", "line 3", "it is no table", "write it again"))
"""


BROKEN = "import a_package_that_is_not_there"


@pytest.fixture
def run(tmp_path, monkeypatch):
    def run(**scripts):
        steps = []
        for rule, text in scripts.items():
            (tmp_path / f"{rule}.py").write_text(text)
            steps.append(
                {
                    "rule": rule,
                    "script": str(tmp_path / f"{rule}.py"),
                    "wildcards": {"subject": "S1"},
                    "input": [("words", ["one", "two"]), ("grams", [])],
                    "output": [("", str(tmp_path / f"{rule}.txt"))],
                    "params": [("text", "hello")],
                    "log": [("", str(tmp_path / f"{rule}.log"))],
                }
            )
        whole = SimpleNamespace(
            rule="steps_of_S1", input=[], params=SimpleNamespace(steps=steps), threads=1,
            log=[str(tmp_path / "subject.log")], config={"name": "r"},
        )  # fmt: skip
        monkeypatch.syspath_prepend(SCRIPTS)
        monkeypatch.setattr(__main__, "snakemake", whole, raising=False)
        monkeypatch.delitem(sys.modules, "job", raising=False)
        runpy.run_path(str(SCRIPTS / "subject.py"))

    yield run
    sys.modules.pop("job", None)
    gc.unfreeze()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # closes the logs
    logging.captureWarnings(False)


def test_each_step_has_what_its_rule_gives_it(run, tmp_path):
    run(first=WRITES, second=WRITES)
    for rule in ("first", "second"):
        said = (tmp_path / f"{rule}.txt").read_text()
        assert said == f"hello S1 one two None r {rule}"
    log = (tmp_path / "subject.log").read_text().splitlines()
    assert [line.partition(":")[0] for line in log] == ["first S1", "second S1"]


def test_what_a_step_says_when_it_fails_is_in_the_log_of_the_job(run, tmp_path):
    with pytest.raises(SystemExit):
        run(first=WRITES, second=FAILS, third=WRITES)
    log = (tmp_path / "subject.log").read_text()
    assert "a.tsv [line 3]: it is no table" in log
    assert "Remedy: write it again" in log
    assert "third" not in log
    assert not (tmp_path / "third.txt").exists()


def test_a_step_that_fails_before_it_has_a_log_says_why_not_what_an_earlier_run_said(run, tmp_path):
    (tmp_path / "second.log").write_text("what an earlier run said\n")
    with pytest.raises(ModuleNotFoundError):
        run(first=WRITES, second=BROKEN)
    log = (tmp_path / "subject.log").read_text()
    assert "No module named 'a_package_that_is_not_there'" in log
    assert "second S1" in log
    assert "earlier" not in log
