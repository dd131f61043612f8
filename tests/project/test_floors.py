"""The floors of the house: a folder imports what stands above it in this table, nothing else."""

import ast
from graphlib import TopologicalSorter

import pytest

from tests.conftest import REPOSITORY

# From the ground up. What stands on one floor does not know of its neighbours.
FLOORS = {
    "gim": """
        errors  provenance  progress  scores
        files
        _kernels  text
        encoder  infinigram
        induction
        causal  weighing
        evaluation  decoding  sklearn
        training
        cli
    """,
    "pipeline": """
        core
        embedding  language_model  voxels
        maps  readers
        dataset
        matching  runs  simulation  sklearn  states
        features
        example  matchers
        bands
        recall
        config  fit
        audit  statistics
        tables
        controls  regions
        tuning
        finished
        derivative  predict  report  validation
        fetch
        doctor  new
    """,
}
MOST_MODULES = {"gim": 6, "pipeline": 5}  # beside the folders
LONGEST = 400  # lines of a file, about


def units(package):
    """Floor of every folder and module at the top of a package, from 0."""
    lines = FLOORS[package].split("\n")
    floors = [line.split() for line in lines if line.strip()]
    return {name: level for level, names in enumerate(floors) for name in names}


def sources(package):
    """Every module of a package by dotted name."""
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = {name: path for package in FLOORS for name, path in sources(package)}


def imported(path, known=MODULES):
    """Modules that a file imports anywhere in it: names of `known`, and tops of other packages."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name not in known and "." in name:
                name = name.rpartition(".")[0]
            yield name


IMPORTS = {name: sorted(set(imported(path))) for name, path in MODULES.items()}


@pytest.mark.parametrize("package", FLOORS)
def test_the_table_has_every_folder_and_module(package):
    top = {name.split(".")[1] for name in MODULES if name.startswith(f"{package}.")}
    assert set(units(package)) == top


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    package, *rest = name.split(".")
    if not rest:
        return  # the package's face hands names on
    floors = units(package)
    for other in IMPORTS[name]:
        where, *place = other.split(".")
        if where == package and place and place[0] != rest[0]:
            assert floors[place[0]] < floors[rest[0]], f"{name} imports {other}"


def test_no_files_import_each_other_in_a_circle():
    inside = {name: set(others) & set(MODULES) - {name} for name, others in IMPORTS.items()}
    list(TopologicalSorter(inside).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("name", MODULES)
def test_gim_knows_nothing_of_fmri_and_pipeline_nothing_of_snakemake(name):
    strangers = {"gim": {"pipeline", "workflow", "snakemake", "nilearn"}}
    forbidden = strangers.get(name.split(".")[0], {"workflow", "snakemake"})
    assert not forbidden & {other.split(".")[0] for other in IMPORTS[name]}


@pytest.mark.parametrize("package", FLOORS)
def test_few_modules_stand_beside_the_folders(package):
    modules = [p for p in (REPOSITORY / package).glob("*.py") if p.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES[package]


FACES = [name for name, path in MODULES.items() if path.name == "__init__.py"]


@pytest.mark.parametrize("name", FACES)
def test_every_folder_says_what_it_is_for_and_where_to_begin(name):
    text = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8"))) or ""
    assert len(text.splitlines()) >= 3
    assert "Begin with" in text or name == "pipeline.example"


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_long(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_what_is_held_here_is_seen(tmp_path):
    """The reader of imports finds them in functions, and takes names for their modules."""
    path = tmp_path / "x.py"
    path.write_text("import os\ndef f():\n    from pipeline.core.errors import ProblemError\n")
    assert sorted(imported(path)) == ["os", "pipeline.core.errors"]


def test_the_map_in_contributing_has_every_folder():
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for package in FLOORS:
        for name in units(package):
            assert f"{name}/" in text or f"{name}.py" in text, f"{package}/{name} is not on the map"
