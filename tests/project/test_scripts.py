"""Scripts of the workflow name what they pass: arguments in a long row are easy to exchange."""

import ast

import pytest

from tests.conftest import REPOSITORY

MOST_BY_PLACE = 4
SCRIPTS = sorted((REPOSITORY / "workflow" / "scripts").glob("*.py"))


def long_rows(text):
    """Calls with more arguments by place than a reader can tell apart."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in calls if len(call.args) > MOST_BY_PLACE]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_long_calls_go_by_name(path):
    assert long_rows(path.read_text()) == []


def test_long_rows_are_seen():
    assert long_rows("f(1, 2, 3, 4, e=5)\nm.g(1, 2, 3, 4, 5)") == ["m.g"]
