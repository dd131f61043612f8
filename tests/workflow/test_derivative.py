"""The results of the tiny run as a BIDS derivative."""

import fnmatch
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.load import complete, read_file
from pipeline.config.results import Results
from pipeline.derivative.ignored import patterns
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.workflow

# What is left to the run's user: who the authors are.
WARNINGS = {"TOO_FEW_AUTHORS"}
FORMER = [
    "sub-SIM01_model-ngram_fit.h5",
    "sub-SIM01_model-ngram_stat-r_statmap.nii.gz",
    "sub-SIM01_model-ngram_minus-eng1000_stat-rdiff_q-05_glass.png",
    "sub-SIM01_matcher-ngram_matches.parquet",
    "sub-SIM01_model-ngramlag_band-eng1000_words.tsv",
]


@pytest.fixture
def results(tiny):
    return tiny.results("tiny")


def issues(folder):
    """What the kept validator finds, by severity, as pairs of code and place; without network."""
    if find_spec("bids_validator_deno") is None:
        pytest.skip("the BIDS validator is not installed: pip install 'gim-encoding[bids]'")
    import bids_validator_deno
    from deno import find_deno_bin

    bundle = Path(bids_validator_deno.__file__).with_name("bids-validator.js")
    command = [find_deno_bin(), "run", "--allow-read", "--allow-env", bundle, folder]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
    found = json.loads(done.stdout)["issues"]["issues"]
    pairs = [(issue["severity"], (issue["code"], issue["location"])) for issue in found]
    return {level: {pair for own, pair in pairs if own == level} for level in ("error", "warning")}


def test_the_validator_finds_no_error_and_the_warnings_that_the_docs_name(results):
    found = issues(results)
    assert found["error"] == set()
    assert {code for code, _ in found["warning"]} <= WARNINGS
    said = (REPOSITORY / "docs" / "outputs.md").read_text()
    assert all(f"`{code}`" in said for code in WARNINGS)


def test_files_under_former_names_are_errors_and_no_results(tiny, tmp_path):
    """A validator tells each; report and tables are made of what the configuration names."""
    folder = shutil.copytree(tiny.results("tiny"), tmp_path / "tiny")
    for name in FORMER:
        (folder / "sub-SIM01" / name).write_text("stale")
    config = complete(read_file(tiny.folder / "tiny.yaml"))
    assert not {Path(path).name for path in Results(config).final()} & set(FORMER)
    places = {place for _, place in issues(folder)["error"]}
    assert places == {f"/sub-SIM01/{name}" for name in FORMER}


def test_every_map_has_a_sidecar_with_unit_computation_and_sources_that_are_there(results):
    folder = results / "sub-SIM01"
    endings = (".nii.gz", ".func.gii")
    maps = [path for path in folder.iterdir() if path.name.endswith(endings)]
    assert len(maps) > 40
    for path in maps:
        name = re.sub(r"(\.nii\.gz|\.func\.gii)$", ".json", path.name)
        said = json.loads((folder / name).read_text())
        assert said["Description"] and said["Computation"] and said["Units"], path.name
        entities = dict(pair.split("-") for pair in path.name.split("_")[:-1])
        assert said["Model"] == entities["desc"]
        assert said.get("ModelSubtracted") == entities.get("minus")
        assert said.get("Band") == entities.get("band")
        assert said.get("FalseDiscoveryRate") == (0.05 if "q" in entities else None)
        sources = [source.removeprefix("bids::") for source in said["Sources"]]
        assert len(sources) == 1 + ("minus" in entities)
        assert all((results / source).is_file() for source in sources)


def test_no_json_or_table_holds_an_absolute_path(tiny, results):
    """No folder of this run, and nothing that begins with a folder of this disk's root."""
    root = "|".join(re.escape(path.name) for path in Path("/").iterdir())
    absolute = re.compile(rf"""(^|[\s"'=:\[(,])(file:/+|/)({root})/""", re.MULTILINE)
    looked = 0
    for path in results.rglob("*"):
        if path.suffix in (".json", ".tsv"):
            text, looked = path.read_text(), looked + 1
            assert str(tiny.made) not in text and str(Path.home()) not in text, path
            found = absolute.search(text)
            assert found is None, f"{path}: {text[found.start() : found.start() + 80]!r}"
    assert looked > 100


def test_each_label_in_a_name_is_explained(results):
    said = set(pd.read_csv(results / "descriptions.tsv", sep="\t")["desc_id"])
    names = [path.name for path in results.rglob("*_desc-*")]
    assert {re.search(r"desc-[A-Za-z0-9]+", name)[0] for name in names} == said


def test_patterns_let_through_what_the_run_wrote_and_nothing_else(results):
    """As gitignore reads them, where no validator is installed."""

    def ignored(name):
        return any(
            name.count("/") == p.count("/") and fnmatch.fnmatchcase(name, p) for p in patterns()
        )

    known = {"dataset_description.json", "README.md", ".bidsignore", "logs"}
    known |= {"descriptions.tsv", "descriptions.json"}
    for path in results.iterdir():
        if path.name not in known and not path.name.startswith("sub-"):
            assert ignored(f"/{path.name}"), path.name
    for path in (results / "sub-SIM01").iterdir():
        assert ignored(f"/sub-SIM01/{path.name}"), path.name
    assert not [name for name in FORMER if ignored(f"/sub-SIM01/{name}")]
