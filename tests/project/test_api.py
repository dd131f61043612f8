"""No public name is without a docstring. (`make site` builds the reference of every module.)"""

import ast

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
