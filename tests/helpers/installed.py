"""The package as a user has it: a wheel of what git tracks, in an environment of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has our dependencies, but not the checkout."""

    folder: Path

    @classmethod
    def make(cls, folder):
        venv.create(folder, with_pip=False, symlinks=True)
        environment = cls(folder)
        # Its own .pth files, through which the checkout may be installed, are not read from here.
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (environment.packages / "dependencies.pth").write_text("\n".join(sorted(paths)) + "\n")
        return environment

    @property
    def packages(self):
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.folder)}))

    def install(self, wheel):
        pip("--python", self.folder / "bin" / "python", "install", "--no-deps", "--no-index", wheel)

    def run(self, command, *arguments, cwd, check=True):
        """Run a command of the environment in a folder; returns the finished process."""
        done = subprocess.run(
            [self.folder / "bin" / command, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=surroundings(),
            cwd=cwd,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done


def surroundings(**more):
    """The variables of this process, without the path to the checkout."""
    hidden = {"PYTHONPATH", "GIM_ENCODING"}
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    return kept | {"OMP_NUM_THREADS": "1"} | more


def pip(*arguments, **variables):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=surroundings(**variables),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tracked():
    """Names of the project's files, as git has them."""
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).exists()]


def build(folder):
    """A wheel, made of a copy of the project as workflow/environment.yaml has it made."""
    project = folder / "project"
    for name in tracked():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, project / name, follow_symlinks=False)
    environment = yaml.safe_load((REPOSITORY / "workflow" / "environment.yaml").read_text())
    (asked,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    (folder / "requirements.txt").write_text("\n".join(asked))
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder]
    pip("wheel", *options, "-r", folder / "requirements.txt", GIM_ENCODING=str(project))
    (wheel,) = folder.glob("*.whl")
    return wheel
