"""What is loaded from a folder of somebody else's runs no code of theirs, and asks no server."""

import ast

import pytest

from tests.conftest import REPOSITORY

WHERE = ("gim", "pipeline", "workflow", "benchmarks")
OURS = ("Encoder", "cls")  # gim's own format, which holds numbers alone
NEEDED = {"local_files_only": True, "trust_remote_code": False}
DOWNLOADS = ("snapshot_download", "hf_hub_download", "HfApi")


def calls():
    """Every call of a function in the project, with its file."""
    for folder in WHERE:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path.relative_to(REPOSITORY), node


CALLS = list(calls())


def options(call):
    return {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}


def pretrained():
    for path, call in CALLS:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "from_pretrained":
            owner = ast.unparse(call.func.value)
            if owner not in OURS and not owner.startswith("nn."):
                yield pytest.param(call, id=f"{path}:{call.lineno}")


@pytest.mark.parametrize("call", list(pretrained()))
def test_models_are_loaded_from_here_without_their_code(call):
    assert NEEDED.items() <= options(call).items()


def test_only_fetch_downloads():
    for path, call in CALLS:
        name = ast.unparse(call.func).rpartition(".")[2]
        if name in DOWNLOADS and not path.is_relative_to("pipeline/fetch"):
            assert options(call).get("local_files_only") is True, f"{path}:{call.lineno}"
