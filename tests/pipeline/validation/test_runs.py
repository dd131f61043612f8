"""What files and table of runs must agree on: all faults are told at once, with remedies."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from pipeline.runs.command import main
from pipeline.validation.validate import validate
from tests.helpers import fmriprep

FUNC = "derivatives/fmriprep/sub-{}/func"


def written(root, form, subjects=("01", "02")):
    fmriprep.write_tree(root, subjects=subjects, forms=[form], start_time=None)
    main(["--bids", str(root), "--derivatives", "fmriprep", "--task", ",".join(fmriprep.TASKS),
          "--form", form, "--transcript", "stimuli/{story}.TextGrid"])  # fmt: skip
    return root / "runs.tsv"


def configured(root, form):
    mask = root / FUNC.format("{subject}")
    mask /= "sub-{subject}_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz"
    config = {
        "name": form,
        "data_root": str(root),
        "runs": str(root / "runs.tsv"),
        "stories": {"train": fmriprep.TASKS[:4], "test": ["five"]},
        "timing": {"tr": 2.0, "trim": [4, 2]},
        "responses": {"confounds": {"strategy": ["motion"], "motion": "derivatives"}},
        "features": {"wordrate": {}},
        "models": {"wordrate": ["wordrate"]},
        "baseline": "wordrate",
        "fit": {"n_folds": 3},
        "statistics": {"min_shift": 10},
        **({"mask": {"path": str(mask)}} if form == "volume" else {}),
    }
    return complete(config)


def told(config):
    """Problems as (file and place, what); each has a remedy."""
    with pytest.raises(ProblemError) as caught:
        validate(config)
    assert all(problem.remedy for problem in caught.value.problems)
    return [(f"{p.file} [{p.place}]", p.what) for p in caught.value.problems]


def assert_told(found, file, what):
    assert any(file in place and what in said for place, said in found), (file, what, found)


def noise(n_rows, form, less=0):
    n = fmriprep.N_VALUES[form] - less
    return np.random.default_rng(0).standard_normal((n_rows, n))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_dataset_without_fault_passes(tmp_path):
    written(tmp_path, "volume")
    validate(configured(tmp_path, "volume"))


def test_volumes(tmp_path):
    """Two files for a run, no transcript, sidecar against header, confounds, the mask's space."""
    table = written(tmp_path, "volume")
    rows = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False)
    rows.loc[1, "transcript"] = "n/a"
    again = rows.iloc[[2]].assign(responses=rows.loc[3, "responses"])
    pd.concat([rows, again]).to_csv(table, sep="\t", index=False)
    second = tmp_path / FUNC.format("02")
    name = fmriprep.FORMS["volume"]
    fmriprep.write_sidecar(second / f"sub-02_task-one_{name}", ".nii.gz", None, tr=3.0)
    confounds = second / "sub-02_task-two_desc-confounds_timeseries.tsv"
    confounds.write_text("\n".join(confounds.read_text().splitlines()[:-4]) + "\n")
    config = configured(tmp_path, "volume")
    mask = tmp_path / "sub-{subject}_space-T1w_desc-brain_mask.nii.gz"
    for subject in ("01", "02"):
        fmriprep.write_mask(str(mask).replace("{subject}", subject))
    config["mask"]["path"] = str(mask)
    found = told(config)
    assert_told(found, "runs.tsv [line 12: 01, ", "two files for one run")
    assert_told(found, "runs.tsv [line 3]", "neither transcript nor events")
    assert_told(found, "sub-02_task-one_", "the header's repetition time is 2 s, the sidecar's 3 s")
    assert_told(found, confounds.name, "the confounds have 60 rows, the run 64 volumes")
    assert_told(found, f"sub-01_task-five_{name} [mask]", "MNI152NLin2009cAsym, the mask in T1w")


def test_surfaces(tmp_path):
    """A hemisphere without the other, both ways, and another number of vertices."""
    table = written(tmp_path, "surface")
    folder, name = tmp_path / FUNC.format("01"), fmriprep.FORMS["surface"]
    (folder / f"sub-01_task-one_{name.format(hemi='R')}").unlink()
    fmriprep.write_run(folder, f"sub-01_task-two_{name}", noise(64, "surface", 2), "surface")
    left = f"sub-01_task-three_{name.format(hemi='L')}"
    (folder / left).unlink()
    text = table.read_text()
    table.write_text(text.replace(left, left.replace("hemi-L", "hemi-R")))
    found = told(configured(tmp_path, "surface"))
    assert_told(found, "task-one_hemi-R_space-fsaverage5_bold.func.gii [right", "does not exist")
    assert_told(found, "task-two_hemi-L", "22 voxels, but a subject's stories should agree")
    assert_told(found, "task-three_hemi-R", f"the right hemisphere alone; the left one, {left}")


def test_grayordinates(tmp_path):
    """Another number of them in one run, and a run in another space."""
    table = written(tmp_path, "cifti")
    folder, name = tmp_path / FUNC.format("02"), fmriprep.FORMS["cifti"]
    few = fmriprep.brain_models()[:-3]
    path = folder / f"sub-02_task-two_{name}"
    series = fmriprep.SeriesAxis(0, fmriprep.TR, 64)
    fmriprep.nib.save(
        fmriprep.nib.Cifti2Image(noise(64, "cifti", 3).astype(np.float32), (series, few)), path
    )
    old = folder / f"sub-02_task-one_{name}"
    new = folder / old.name.replace("fsLR", "fsaverage")
    old.rename(new)
    table.write_text(table.read_text().replace(old.name, new.name))
    found = told(configured(tmp_path, "cifti"))
    assert_told(found, path.name, "21 voxels, but a subject's stories should agree")
    assert_told(found, "[space]", "in the space fs")
