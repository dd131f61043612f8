"""The API reference builds, has every module, and no public name is without a docstring."""

import ast
import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("gim", "pipeline")
SOURCES = [
    path
    for package in PACKAGES
    for path in sorted((REPOSITORY / package).rglob("*.py"))
    if not any(p.startswith("_") for p in path.relative_to(REPOSITORY).with_suffix("").parts)
]


def module_name(path):
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


def undocumented(body, prefix=""):
    """Public functions, classes and methods without a docstring."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_every_public_name_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert list(undocumented(tree.body)) == []


def test_the_check_of_docstrings_sees_methods():
    tree = ast.parse("class A:\n    'doc'\n    def b(self): ...\n    def _c(self): ...")
    assert list(undocumented(tree.body)) == ["A.b"]


def test_the_reference_builds_with_a_page_for_every_module(tmp_path):
    done = subprocess.run(
        [sys.executable, "docs/api.py", tmp_path],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PDOC_ALLOW_EXEC": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pages = {p.relative_to(tmp_path).with_suffix("").as_posix() for p in tmp_path.rglob("*.html")}
    assert {module_name(path).replace(".", "/") for path in SOURCES} <= pages
    # What `gim` imports on first use is on its page, too.
    assert 'id="GIM.predict"' in (tmp_path / "gim.html").read_text()
