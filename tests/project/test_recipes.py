"""The recipes that install the project elsewhere: what they say is what was tested."""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.conftest import REPOSITORY

CONTAINERS = ("container/Containerfile", "container/apptainer.def")
PLACE = "/opt/gim-encoding"
TORCH = "https://download.pytorch.org/whl/cpu"


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def pip(lines):
    """Arguments of the commands of pip among lines, without what only shells and images need."""
    commands = [line.strip().partition("pip ")[2] for line in lines if "pip " in line]
    words = (shlex.split(command.partition("#")[0].partition("&&")[0]) for command in commands)
    left_out = ("--no-cache-dir", "-e", "${TORCH_INDEX:+--index-url $TORCH_INDEX}")
    return [[w for w in own if w not in left_out and "TORCH_INDEX" not in w] for own in words]


def locked_python():
    return re.search(r"--python-version (\S+)", text("lock-linux-cp311.txt"))[1]


def test_containers_are_installed_by_the_steps_that_are_told_for_byte_for_byte():
    told = re.search(r"byte for byte:\n\n((?: {4}.*\n)+)", text("CONTRIBUTING.md"))[1]
    steps = pip(line for line in text("container/install").splitlines() if line[:1] != "#")
    assert steps[0] == ["install", "--require-hashes", "--no-deps", "-r", "lock-linux-cp311.txt"]
    assert steps[-1] == ["check"]
    assert steps[:-1] == pip(told.splitlines())
    assert text("container/install").startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text("container/install")  # a step that fails ends it


@pytest.mark.parametrize("name", CONTAINERS)
def test_both_recipes_have_the_locks_python_and_run_the_same_steps(name):
    recipe = text(name)
    assert f"docker.io/library/python:{locked_python()}-slim-bookworm" in recipe
    assert f"{PLACE}/container/install\n" in recipe
    assert f"{PLACE}/workflow/Snakefile" in recipe
    assert f". {PLACE}\n" in recipe  # all files are copied there
    assert re.search(rf"torch_index={TORCH}$", recipe, re.IGNORECASE | re.MULTILINE)
    assert "pip" not in recipe  # what is installed is said once


def test_what_make_starts_keeps_what_it_compiles():
    if shutil.which("make") is None:
        pytest.skip("no make here")
    done = subprocess.run(
        ["make", "-f", "-", "shown"], input="include Makefile\nshown:\n\t@env\n", text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, cwd=REPOSITORY, capture_output=True,
        check=True,
    )  # fmt: skip
    assert "PATH=" in done.stdout
    assert "PYTHONDONTWRITEBYTECODE" not in done.stdout


def test_nothing_that_is_tracked_is_left_out_of_an_image():
    listed = subprocess.run(
        ["git", "-C", REPOSITORY, "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split()
    patterns = text(".dockerignore").split()
    kept = {"data/README.md", "results/README.md"}  # of folders that are the user's
    left_out = {n for n in listed for p in patterns if fnmatch.fnmatch(n.split("/")[0], p)}
    left_out |= {n for n in listed for p in patterns if fnmatch.fnmatch(n, p)}
    assert left_out <= kept


def test_environment_of_jobs_has_the_same_python_and_no_version_of_its_own():
    """All else comes with the package: what is pinned nowhere cannot differ from what is pinned."""
    environment = yaml.safe_load(text("workflow/environment.yaml"))
    names = [d for d in environment["dependencies"] if isinstance(d, str)]
    pins = dict(line.split("==") for line in text("constraints.txt").split("\n") if "==" in line)
    python, *others = names
    assert python == f"python={locked_python()}"
    required = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    assert f"{locked_python()}.0" in SpecifierSet(required)
    for name, _, version in (other.partition("=") for other in others):
        assert not version or pins[name] == version
    (asked,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert asked == ["${GIM_ENCODING}"]


def test_the_conda_recipe_has_the_packages_version_command_and_dependencies():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    recipe = yaml.safe_load(text("conda/recipe.yaml"))
    assert recipe["context"]["version"] == project["version"]
    assert recipe["about"]["license"] == project["license"]
    scripts = [f"{name} = {place}" for name, place in project["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts
    python, *run = recipe["requirements"]["run"]
    assert python == f"python {project['requires-python']}"
    other = {"pytorch": "torch", "huggingface_hub": "huggingface-hub"}  # names of conda-forge
    pairs = (line.split() for line in run)
    assert [f"{other.get(name, name)}{bound}" for name, bound in pairs] == project["dependencies"]
    built = tomllib.loads(text("pyproject.toml"))["build-system"]["requires"]
    host = [line.replace(" ", "") for line in recipe["requirements"]["host"]]
    assert set(built) <= set(host)


def test_ci_runs_the_script_of_the_recipes_or_builds_the_image_and_says_which():
    image = text(".ci/image")
    assert "container/Containerfile" in image and '"$place/project/container/install"' in image
    assert image.count('echo "image: ') == 2
    assert "\n  .ci/image\n" in text(".ci/run")
