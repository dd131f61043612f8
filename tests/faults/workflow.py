"""A copy of the project whose workflow is run, hurt and run again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

TABLE = "results/tiny/summary.tsv"
PATIENCE = 1200  # seconds for a run


@dataclass(frozen=True)
class Workflow:
    """A folder with the project's code and config/tiny.yaml; its own results."""

    folder: Path

    @classmethod
    def create(cls, folder, like=None):
        """Copy the code, or everything of the workflow `like`, times included."""
        if like is not None:
            shutil.copytree(like.folder, folder, symlinks=True)
            return cls(folder)
        folder.mkdir(parents=True)
        for name in ("workflow", "pipeline", "gim", "config"):
            shutil.copytree(
                REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(REPOSITORY / "Snakefile", folder)
        return cls(folder)

    def start(self, *arguments, prefix=(), **options):
        """Start Snakemake in a session of its own, its output in `log`; returns the process.

        `prefix` is a command that starts the command.
        """
        command = [sys.executable, "-m", "snakemake", "--configfile", "config/tiny.yaml"]
        environment = {
            **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.folder), "HOME": "/tmp",
        }  # fmt: skip
        with open(self.folder / "log", "w") as log:
            return subprocess.Popen(
                [*prefix, *command, "--cores", "2", "--rerun-incomplete", *arguments],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    def run(self, *arguments, **options):
        """Run Snakemake to its end; returns its exit status."""
        process = self.start(*arguments, **options)
        try:
            return process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def recover(self, *targets):
        """What a user does after a crash, unlock and run again; returns the exit status."""
        if self.locked():
            self.run("--unlock")
        return self.run(*targets)

    def locked(self):
        locks = self.folder / ".snakemake" / "locks"
        return locks.is_dir() and any(locks.iterdir())

    def wait_for_lock(self, process):
        """Wait until the process has begun its work, or ended."""
        while not self.locked() and process.poll() is None:
            time.sleep(0.1)

    def said(self, *words):
        """The last line of the run's output that has one of the words; empty if none has."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        found = [line.strip() for line in lines if any(word in line for word in words)]
        return found[-1].replace(f"{self.folder}/", "") if found else ""

    def table(self):
        """Bytes of the table, None if there is none."""
        path = self.folder / TABLE
        return path.read_bytes() if path.is_file() else None

    def size(self):
        """Bytes of the results."""
        return sum(p.stat().st_size for p in (self.folder / "results").rglob("*") if p.is_file())
