"""The tutorial runs from its first cell to its last, and says what it finds."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial.ipynb"
CLAIM = "assert gain['B'] > 0.04 and gain.drop('B').max() < 0.02, gain"


@pytest.fixture
def notebook():
    return nbformat.read(TUTORIAL, as_version=4)


def test_the_tutorial_is_kept_without_outputs(notebook):
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_the_tutorial_runs_and_finds_what_it_says(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY), prepend=os.pathsep)
    notebook.cells.append(nbformat.v4.new_code_cell(CLAIM))
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert not [o.text for o in outputs if o.get("name") == "stderr"]
