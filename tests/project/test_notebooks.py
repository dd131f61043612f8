"""Notebooks that `make site` executes: whole and without outputs, their names and files there."""

import ast
import importlib
import re

import jupytext
import pytest

from tests.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.py"))
FILE = re.compile(r"\.\./\.\./((?:config|data)/[\w/.]+)")


def read(path):
    return jupytext.read(path, fmt="py:percent")


def code_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def missing(code):
    """What code imports from here that there is not, and files of the project likewise."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in {"gim", "pipeline"}:
            module = importlib.import_module(node.module)
            yield from (
                f"{node.module}.{a.name}" for a in node.names if not hasattr(module, a.name)
            )
    yield from (name for name in FILE.findall(code) if not (REPOSITORY / name).exists())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_a_title_and_ends_with_what_it_claims(path):
    notebook = read(path)
    assert re.match(r"# \S", notebook.cells[0].source)
    assert "assert" in notebook.cells[-1].source
    assert notebook.cells[-1].metadata["tags"] == ["remove-cell"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_what_exists(path):
    assert list(missing(code_of(read(path)))) == []


def test_missing_names_are_seen():
    code = "from pipeline import Run\nfrom gim.files import nothing\nload('../../config/none.yaml')"
    assert list(missing(code)) == ["gim.files.nothing", "config/none.yaml"]
