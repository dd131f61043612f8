"""What every job of the workflow imports before its own work: it must be little.

Each script's imports are made in a fork of a process that has what all share.
"""

import ast
import json
import subprocess
import sys

from tests.conftest import REPOSITORY

SLOW = (
    "himalaya", "jsonschema", "matplotlib", "nibabel", "nilearn", "numba", "pandas", "praatio",
    "requests", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.sparse", "scipy.special",
    "scipy.stats", "sklearn", "tokenizers", "torch", "transformers",
)  # fmt: skip
# What scripts read, compute, draw, download or simulate with.
TABLES, IMAGES, ALGEBRA = {"pandas"}, {"nibabel"}, {"scipy.linalg"}
PLACES = IMAGES | {"scipy.sparse"}  # of voxels in regions, and on surfaces
MAPS = PLACES | {"matplotlib"}
GROUP = MAPS | ALGEBRA | {"scipy.special"}
NEEDED = {
    **dict.fromkeys(("audit", "derivative", "eng1000", "familiarity", "summary"), TABLES),
    **dict.fromkeys(("partition_table", "statistics_tables"), TABLES),
    **dict.fromkeys(("registry", "settings", "validate"), TABLES | IMAGES),
    **dict.fromkeys(("fit_model", "gather_fit", "weights"), ALGEBRA),
    **dict.fromkeys(("intersubject", "presentations", "shuffled_chunks"), TABLES | ALGEBRA),
    **dict.fromkeys(("explorer", "shares"), TABLES | PLACES),
    "fetch": TABLES | IMAGES | {"requests"},
    "group": GROUP | TABLES,
    "group_maps": GROUP,
    "prepare": IMAGES,
    "regions": MAPS | TABLES,
    "report": GROUP | TABLES,
    "simulate": TABLES | PLACES | ALGEBRA | {"praatio", "scipy.ndimage", "scipy.optimize"}
    | {"scipy.special", "scipy.stats"},
    "subject_maps": MAPS,
    "tuning": MAPS | TABLES | ALGEBRA,
    "webgl": MAPS - {"scipy.sparse"},
    "work": ALGEBRA | {"scipy.special"},  # the GPD of p-values beyond the permutations
    "seen": {"requests"},  # that the test sees what is loaded
}  # fmt: skip
SHARED = "import h5py, snakemake.iocontainers, pipeline.bands.registry"
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
# What fits and tests do themselves: a library that a function loads is loaded, too.
WORK = """
import numpy as np
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.attribution import band_parts, band_shares
from pipeline.fit.design import Band, Design
from pipeline.fit.regression import Regression
from pipeline.statistics.permutation import Tally
rng = np.random.default_rng(0)
y, x = ({s: rng.standard_normal((30, 4), np.float32) for s in "abc"} for _ in range(2))
design = Design((Band("band", x, (0, 1), (1.0, 1.0)),))
regression = Regression(design, y, {"a": 0, "b": 1, "c": 2}, np.array([1.0, 10.0]))
for name in ("gram", "kernel"):
    fit = fit_block(regression, make_solver(name, regression))
assert band_shares(band_parts(fit.final.weights, design, "a"), y["a"]).shape == (1, 4)
tally = Tally(400, 4, tail="gpd")
tally.add(slice(0, 4), np.ones(4), rng.standard_normal((400, 4)))
assert tally.result().q.shape == (4,)
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
    loaded = loaded_by(codes | {"registry": REGISTRY, "work": WORK, "seen": "import requests"})
    assert len(loaded) > 30
    assert loaded == {name: NEEDED.get(name, set()) for name in loaded}
