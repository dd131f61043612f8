"""A dataset as fMRIPrep leaves it, by a table of runs: the whole workflow, in few lines."""

import json
import os
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.fit.file import FitFile
from pipeline.report.maps import SHOWN
from pipeline.runs.command import main
from tests.helpers import fmriprep

FORMS = os.environ.get("GIM_FORMS", "").split(",")
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        FORMS == [""], reason="half a minute a form; tests/pipeline/test_forms.py has the steps"
    ),
]
MOST_LINES = 15
CONFIG = """\
name: {form}
data_root: bids
runs: bids/{form}.tsv
stories: {{test: [five]}}
timing: {{tr: 2.0, trim: [4, 2]}}
responses: {{confounds: {{strategy: [motion, scrub], motion: derivatives, scrub: 0}}}}
{places}
features: {{wordrate: {{}}, drift: {{}}}}
models: {{wordrate: [wordrate], drift: [wordrate, drift]}}
baseline: wordrate
fit: {{n_folds: 3, threads: 1, alphas: {{min: 0, max: 4, n: 3}}}}
response_components: 3
statistics: {{permutations: 50, min_shift: 10, block: 10}}
maps: {{figures_for: [wordrate]}}
"""
FOLDER = "bids/derivatives/fmriprep/sub-{subject}/func"
MASK = FOLDER + "/sub-{subject}_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz"
PLACES = {
    "volume": f'mask: {{path: "{MASK}"}}',
    "surface": "surface: {left: bids/lh.surf.gii, right: bids/rh.surf.gii}",
    "cifti": "# TemplateFlow has no meshes of twelve vertices",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_whole_workflow_on_what_fmriprep_leaves(project, form):
    root = project.folder / "bids"
    fmriprep.write_tree(root, forms=[form], moved=30)
    fmriprep.write_meshes(root)
    options = {"bids": root, "derivatives": "fmriprep", "task": ",".join(fmriprep.TASKS)}
    options |= {"transcript": "stimuli/{story}.TextGrid", "out": root / f"{form}.tsv"}
    main([*(str(o) for k, v in options.items() for o in (f"--{k}", v)), "--form", form])
    text = CONFIG.format(form=form, places=PLACES[form])
    assert len(text.splitlines()) <= MOST_LINES
    config = project.folder / "config.yaml"
    config.write_text(text)
    project.snakemake(config)
    results = project.results(form)
    planted = fmriprep.is_planted(fmriprep.N_VALUES[form])
    r = FitFile(results / "sub-01" / "sub-01_desc-wordrate_fit.h5").r()
    assert r[planted].min() > 0.6
    assert np.abs(r[~planted]).max() < 0.5
    table = pd.read_csv(results / "significance.tsv", sep="\t")
    assert {"wordrate", "drift"} <= set(table["model"])
    maps = json.loads((results / "sub-01" / "sub-01_maps.json").read_text())["maps"]
    kinds = {record["kind"] for record in maps}
    assert (
        kinds
        >= {
            "volume": {"nifti", "slices", "view"},
            "surface": {"gifti", "surface", "surfview"},
            "cifti": {"cifti"},
        }[form]
    )
    tuning = json.loads((results / "sub-01" / "sub-01_desc-wordrate_tuning.json").read_text())
    ending = {"volume": ".nii.gz", "surface": ".func.gii", "cifti": ".dscalar.nii"}[form]
    assert any(name.endswith(ending) for name in tuning["bands"]["wordrate"]["files"])
    assert ("map" in tuning) == (form != "cifti")
    pictures = [record["file"] for record in maps if record["kind"] in SHOWN]
    report = (results / "report.html").read_text()
    assert (re.search(r"<img [^>]*data-kind=", report) is not None) == bool(pictures)
    said = (results / "settings.json").read_text() + (results / "warnings.txt").read_text()
    assert "past BOLD knows a little of its future" in said
    assert str(project.folder) not in said
    assert yaml.safe_load(text)["runs"] in (results / "provenance.json").read_text()
