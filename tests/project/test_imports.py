"""What every job of the workflow imports before its own work: it must be little.

Each script's imports are made in a fork of a process that has what all share.
"""

import ast
import json
import subprocess
import sys

from tests.conftest import REPOSITORY

SLOW = (
    "himalaya", "jsonschema", "matplotlib", "nilearn", "numba", "requests", "scipy.ndimage",
    "scipy.optimize", "scipy.stats", "sklearn", "tokenizers", "torch", "transformers",
)  # fmt: skip
# What scripts draw, download or simulate with.
NEEDED = {
    "fetch": {"requests"},
    "regions": {"matplotlib"},
    "report": {"matplotlib"},
    "simulate": {"scipy.ndimage", "scipy.optimize", "scipy.stats"},
    "subject_maps": {  # nilearn's figures load them all
        "matplotlib",
        "nilearn",
        "requests",
        "scipy.ndimage",
        "scipy.optimize",
        "scipy.stats",
        "sklearn",
    },
    "tuning": {"matplotlib"},
    "webgl": {"matplotlib"},
    "seen": {"requests"},  # that the test sees what is loaded
}
SHARED = "import snakemake.iocontainers, pipeline.bands.registry, pipeline.fit.run"
FORKS = """
import json, os, sys
sys.path[:0] = [os.getcwd(), "workflow/scripts"]
{shared}
loaded = {{}}
for name, imports in json.load(sys.stdin).items():
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        exec(imports, {{}})
        with os.fdopen(write, "w") as file:
            json.dump([m for m in {slow} if m in sys.modules], file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        loaded[name] = json.load(file)
    os.wait()
print(json.dumps(loaded))
"""
REGISTRY = """
import pipeline.validation.validate, pipeline.language_model
from pipeline.bands.registry import known_kinds
known_kinds()
"""


def imports_of(path):
    """The imports at the top of a script."""
    body = ast.parse(path.read_text()).body
    return "\n".join(ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom))


def loaded_by(codes):
    """Of several pieces of code, by name, the slow libraries that each loads."""
    command = [sys.executable, "-c", FORKS.format(shared=SHARED, slow=SLOW)]
    done = subprocess.run(
        command, input=json.dumps(codes), capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    return {name: set(found) for name, found in json.loads(done.stdout).items()}


def test_scripts_rules_and_registries_import_no_library_that_they_do_not_use():
    scripts = sorted((REPOSITORY / "workflow" / "scripts").glob("*.py"))
    codes = {path.stem: imports_of(path) for path in scripts}
    loaded = loaded_by(codes | {"registry": REGISTRY, "seen": "import requests"})
    assert len(loaded) > 30
    assert {name: found for name, found in loaded.items() if found} == NEEDED
