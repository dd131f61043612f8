"""Getting the data, and other people's: the worked example of docs/data.md."""

import json
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline import Run
from pipeline.bands.compute import BandFile
from pipeline.core.errors import ProblemError
from pipeline.fit.file import FitFile
from pipeline.recall.features import RecalledFile
from tests.conftest import REPOSITORY
from tests.helpers.server import Server
from tests.project.test_docs import code_of

pytestmark = pytest.mark.workflow
MODELS = ["eng1000", "ngram", "ngramlag"]
# Bands made of a memory, of which models have only those that others' rows make.
MEMORY = {
    "passages": {"n_matches": 5, "weighting": "pursuit"},
    "meaning": {"of": "passages"},
    "letters": {"kind": "lexicon", "sources": ["letters"]},
    "meant": {"kind": "through", "of": "passages", "band": "meaning"},
    "spelt": {"kind": "through", "of": "passages", "band": "letters"},
}


def summary_of(project, name):
    table = pd.read_csv(project.results(name) / "summary.tsv", sep="\t")
    return table.set_index(["subject", "model"]).loc["SIM01"]


def test_the_example_gives_what_the_same_data_in_the_layout_of_ds003020_give(tiny):
    command = [sys.executable, "-m", "pipeline.example", "data/own"]
    subprocess.run(command, check=True, cwd=tiny.folder)
    own = yaml.safe_load((REPOSITORY / "config" / "own.yaml").read_text())
    models = own["models"] | {name: ["eng1000", name] for name in ("meant", "spelt")}
    features = own["features"] | MEMORY
    config = tiny.configure("own", features=features, models=models, keep={"models": ["meant"]})
    folder = tiny.results("own") / "sub-SIM01"
    audit, weights = (f"sub-SIM01/sub-SIM01_{n}" for n in ("audit.tsv", "desc-meant_weights.h5"))
    targets = ("report.html", "summary.tsv", audit, weights)
    tiny.snakemake(config, *(f"results/own/{name}" for name in targets))
    expected, found = summary_of(tiny, "tiny").loc[MODELS], summary_of(tiny, "own").loc[MODELS]
    columns = ["n_voxels", "r_mean", "r_concat"]
    pd.testing.assert_frame_equal(found[columns], expected[columns], atol=1e-4)
    meant, spelt = (RecalledFile(folder / "features" / f"{name}.h5") for name in ("meant", "spelt"))
    assert meant.columns() == RecalledFile(folder / "features" / "meaning.h5").columns()
    assert spelt.columns() == BandFile(tiny.results("own") / "features" / "letters.h5").columns()
    assert all(file.read((0,), ["train01"])["train01"].any() for file in (meant, spelt))
    with pytest.raises(ProblemError, match=r"meant searches a memory of passages \(meant\)"):
        Run(tiny.results("own")).predict("meant", story="test01")


def test_the_worked_example_from_the_page_itself(project, monkeypatch, capsys):
    """Each command as it stands there; of the run, what would be done."""
    page = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.partition("## Your own data\n")[2].partition("\n### ")[0]
    lines = [line for line in code_of(section) if line.startswith(".venv/bin/")]
    assert [line.split()[-1] for line in lines] == ["data/own", *["config/mine.yaml"] * 2]
    monkeypatch.chdir(project.folder)
    for line in lines[:2]:
        _, _, module, *arguments = shlex.split(line)
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        runpy.run_module(module, run_name="__main__")
    assert (
        f"The validation passes. Next: {lines[2].partition('/bin/')[2]}" in capsys.readouterr().out
    )
    plan = project.snakemake("config/mine.yaml", "--dry-run").stdout
    assert "rule report:" in plan
    assert "sub-SIM01_desc-ngramlag_fit.h5" in plan


def test_the_target_fetch_gets_the_files_of_the_configuration(tiny):
    """And no rule of the workflow asks for it."""
    source, server = tiny.folder / "data" / "tiny", Server()
    for path in source.rglob("*"):
        if path.is_file():
            server.pages[f"/{path.relative_to(source)}"] = path.read_bytes()
    config = tiny.configure(
        "tiny",
        name="fetched",
        data_root="data/fetched",
        simulate=None,
        small_mb=0,
        fetch={"files": server.url, "pointers": server.url, "models": False},
    )
    tiny.snakemake(config, "fetch")
    fetched = tiny.folder / "data" / "fetched"
    names = [path.relative_to(fetched) for path in fetched.rglob("*") if path.is_file()]
    assert len(names) == 12  # five transcripts, five runs, the volume counts and Eng1000
    assert all((fetched / n).read_bytes() == (source / n).read_bytes() for n in names)
    plan = tiny.snakemake(config, "--dry-run")
    assert "fit_model" in plan.stdout
    assert "rule fetch:" not in plan.stdout
    server.shutdown()
    server.server_close()


def telling(folder, *words):
    """Files of a run in which any of some words stands, and the word; logs are left out."""
    files = [p for p in folder.rglob("*") if p.is_file() and "logs" not in p.parts]
    assert files
    return {(p.name, word) for p in files for word in words if word.encode() in p.read_bytes()}


def test_results_do_not_say_where_they_were_made(tiny):
    """Logs do, which docs/outputs.md says."""
    assert telling(tiny.results("tiny"), str(tiny.made), str(Path.home())) == set()


def test_results_do_not_say_whose_they_are(project):
    """However the configuration comes to the home folder; with the files that say most."""
    home = project.folder.parent / "alice"
    home.mkdir()
    config = project.configure(
        "tiny",
        data_root="$SCRATCH/tiny",
        mask={"path": "$SCRATCH/tiny/mask.nii.gz", "order": "xyz", "space": "native"},
        regions={"brain": {"volume": f"{home}/scratch/tiny/mask.nii.gz"}},
        fetch={
            "files": "https://alice:secret@data.org/a?token=secret",
            "pointers": "https://b.org",
        },
        only=["eng1000"],
        partitions={},
        maps={"figures_for": []},
    )
    results = project.results("tiny")
    own = results / "sub-SIM01"
    wanted = [results / "settings.json", own / "sub-SIM01_maps.json"]
    targets = [str(path.relative_to(project.folder)) for path in wanted]
    project.snakemake(config, *targets, HOME=str(home), SCRATCH=str(home / "scratch"))
    assert telling(results, str(home), str(project.folder), "secret") == set()
    mask = json.loads(wanted[1].read_text())["mask"]
    assert mask["path"] == "$SCRATCH/tiny/mask.nii.gz"
    provenance = FitFile(own / "sub-SIM01_desc-eng1000_fit.h5").attributes()["provenance"]
    described = json.loads(provenance)["config"]
    assert described["data_root"] == "$SCRATCH/tiny"
    assert described["regions"]["brain"]["volume"] == "$SCRATCH/tiny/mask.nii.gz"
