"""Fixtures shared by all tests."""

import logging
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.helpers.once import once

REPOSITORY = Path(__file__).resolve().parent.parent


LONG = ("workflow", "project", "fuzz")  # folders with files that take long


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that two workers end together."""
    folders = REPOSITORY / "tests"
    items.sort(key=lambda item: item.path.relative_to(folders).parts[0] not in LONG)


@pytest.fixture(autouse=True)
def _own_log_level():
    """What a job or a command sets for its own log does not reach the next test."""
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What the tests verify is not remembered in their user's home."""
    os.environ["GIM_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real data and corpora, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("GIM_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set GIM_SHARED)")
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by playwright, or a skip that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no chromium on this machine (.ci/browser installs it)")
    with playwright.sync_playwright() as manager:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        opened = manager.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """A wheel of the project."""
    from tests.helpers.installed import build

    if find_spec("pip") is None or shutil.which("git") is None:
        pytest.skip("a wheel takes pip to make, and git to tell which files are the project's")
    if not (REPOSITORY / ".git").exists():
        pytest.skip("no checkout: which files are the project's is not known")
    (wheel,) = once(tmp_path_factory, "wheel", build).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(tmp_path_factory, wheel):
    """An environment in which the wheel is installed, and the checkout is not."""
    from tests.helpers.installed import Environment

    folder = once(
        tmp_path_factory,
        "installed",
        lambda folder: Environment.make(folder / "env").install(wheel),
    )
    return Environment(folder / "env")


@pytest.fixture(scope="session")
def smollm2_model() -> str:
    """Folder of the real language model, or a skip that says how to make it."""
    folder = Path(os.environ.get("GIM_SMOLLM2", REPOSITORY / "data/models/SmolLM2-135M-Instruct"))
    if not (folder / "model.safetensors").is_file():
        pytest.skip(f"no SmolLM2 at {folder}: `make smollm2` makes it (or set GIM_SMOLLM2)")
    return str(folder)
