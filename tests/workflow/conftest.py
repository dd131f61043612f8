"""The workflow run from a folder of its own, so that tests leave the project's results alone."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.helpers.once import once


@dataclass(frozen=True)
class Project:
    """A user's folder, in which Snakemake runs the project's Snakefile: results go there.

    `made` is where they were made, if the folder is a copy.
    """

    folder: Path
    made: Path | None = None

    def configure(self, base, **changes):
        """Write config/NAME.yaml of `base` with changes; returns its path."""
        config = yaml.safe_load((REPOSITORY / "config" / f"{base}.yaml").read_text()) | changes
        path = self.folder / f"{config['name']}.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    def snakemake(self, configfile, *arguments, check=True, **environment):
        """Run Snakemake; returns the finished process, its output as text."""
        command = [sys.executable, "-m", "snakemake", "--configfile", str(configfile)]
        done = subprocess.run(
            [*command, "--cores", "2", "--snakefile", str(REPOSITORY / "Snakefile"), *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            cwd=self.folder,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def results(self, name):
        return self.folder / "results" / name


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The whole tiny workflow, run once; a copy, as tests go on with it."""

    def run(folder):
        project = Project(folder)
        project.snakemake(project.configure("tiny"))

    made = once(tmp_path_factory, "tiny", run)
    folder = tmp_path_factory.mktemp("tiny") / "project"
    shutil.copytree(made, folder, symlinks=True)
    return Project(folder, made)
