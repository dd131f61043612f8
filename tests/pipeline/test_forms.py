"""One dataset as fMRIPrep leaves it in three forms: the same effect is found, and goes back.

Every step of the workflow but Snakemake; `tests/workflow/test_runs.py` has that.
"""

import json

import h5py
import nibabel as nib
import numpy as np
import pytest

from pipeline.bands.compute import stimulus_features
from pipeline.bands.registry import band_options
from pipeline.config.load import complete
from pipeline.config.results import Results
from pipeline.config.stories import all_stories, subjects_and_stories
from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.prepare import prepare
from pipeline.dataset.story import read_stories
from pipeline.fit.design import Design, load_band
from pipeline.fit.file import FitFile
from pipeline.fit.options import FitOptions
from pipeline.fit.run import fit_model
from pipeline.maps.write import write_maps
from pipeline.readers.formats import vertices_of
from pipeline.runs.command import main
from pipeline.validation.dataset import check_dataset
from pipeline.validation.records import all_heard
from pipeline.validation.validate import validate
from pipeline.validation.volumes import count_volumes
from pipeline.voxels.volume import Mask
from tests.helpers import fmriprep

MOVED = 30  # volume
STRATEGY = {"strategy": ["motion", "scrub"], "motion": "derivatives", "scrub": 0}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("forms") / "bids"
    fmriprep.write_tree(root, moved=MOVED)
    return root


def configured(root, form, **changes):
    """The configuration of one form, by a table that the command writes."""
    table = root / f"{form}.tsv"
    tasks, transcript = ",".join(fmriprep.TASKS), "stimuli/{story}.TextGrid"
    main(["--bids", str(root), "--derivatives", "fmriprep", "--task", tasks, "--form", form,
          "--transcript", transcript, "--out", str(table)])  # fmt: skip
    mask = root / "derivatives/fmriprep/sub-{subject}/func"
    mask /= "sub-{subject}_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz"
    config = {
        "name": str(root / form),
        "data_root": str(root),
        "runs": str(table),
        "stories": {"test": ["five"]},
        "timing": {"tr": 2.0, "trim": [4, 2]},
        "responses": {"confounds": dict(STRATEGY)},
        "features": {"wordrate": {}},
        "models": {"wordrate": ["wordrate"]},
        "baseline": "wordrate",
        "fit": {"n_folds": 3, "alphas": {"n": 3}},
        "statistics": {"min_shift": 10},
        **({"mask": {"path": str(mask), "space": "native"}} if form == "volume" else {}),
    }
    return complete({**config, "name": form, **changes})


def fitted(config, folder, monkeypatch):
    """Fit the only model of the only subject; the fit and its dataset."""
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    validate(config)
    dataset = Dataset.from_config(config)
    dataset.respdict.parent.mkdir(parents=True)
    dataset.respdict.write_text(json.dumps(count_volumes(dataset, all_heard(config))))
    for subject, story in subjects_and_stories(config):
        path = dataset.responses(subject, story)
        path.parent.mkdir(parents=True, exist_ok=True)
        prepare(config, subject, story, path)
    stories, options = all_stories(config), band_options(config, "wordrate")
    read_stories(dataset, stories).to_parquet("words.parquet")
    stimulus_features(dataset, "words.parquet", stories=stories, options=options, output="band.h5")
    parts = config["stories"]
    band = load_band("wordrate", "band.h5", options=options, delays=config["delays"], **parts)
    options = FitOptions.read(config["fit"], config["seeds"], None)
    fit_model(dataset, "01", design=Design((band,)), **parts, options=options,
              attributes={"model": "wordrate"}, output="fit.h5")  # fmt: skip
    return FitFile("fit.h5"), dataset


def places_of(config, form):
    if form == "volume":
        return Mask.from_config(config["mask"], "01")
    return vertices_of(Results(config).on_surface("01"))


@pytest.mark.parametrize("form", fmriprep.FORMS)
def test_what_is_planted_is_found_and_goes_back_to_where_it_came_from(
    tree, form, tmp_path, monkeypatch
):
    config = configured(tree, form)
    assert list(config["subjects"]) == ["01"]
    assert set(config["stories"]["train"]) == set(fmriprep.TASKS[:4])
    fit, dataset = fitted(config, tmp_path / "run", monkeypatch)
    r = fit.scores().r
    planted = fmriprep.is_planted(fmriprep.N_VALUES[form])
    assert r.shape == planted.shape
    assert r[planted].min() > 0.6
    assert np.abs(r[~planted]).max() < 0.5
    rows = dataset.grid("one").n_rows
    assert rows == fmriprep.N_VOLUMES - 6
    counted = dataset.counted("01", ["one"])["one"]
    np.testing.assert_array_equal(np.flatnonzero(~counted), [MOVED - 4])
    with h5py.File(dataset.responses("01", "one")) as file:
        assert file["data"].shape == (rows, len(planted))
        assert np.abs(file["data"][()]).max() < 10  # the shock is not in it
    write_maps({"wordrate": r}, {"wordrate": ["wordrate"]}, places=places_of(config, form),
               folder=tmp_path, subject="01", contrasts={}, figures_for=[])  # fmt: skip
    np.testing.assert_allclose(read_back(tmp_path, form), r, rtol=1e-6)


def read_back(folder, form):
    """Values of the map, in the order of the responses; what else the file must say."""
    named = "stat-r_desc-wordrate_statmap"
    if form == "volume":
        return nib.load(folder / f"sub-01_{named}.nii.gz").get_fdata().ravel()
    if form == "cifti":
        img = nib.load(folder / f"sub-01_space-fsLR_den-91k_{named}.dscalar.nii")
        assert img.header.get_axis(1) == fmriprep.brain_models()
        return img.get_fdata()[0]
    names = (f"sub-01_hemi-{hemi}_space-fsaverage5_{named}.func.gii" for hemi in "LR")
    return np.concatenate([nib.load(folder / name).darrays[0].data for name in names])


def test_what_a_censored_volume_holds_changes_nothing(tmp_path, monkeypatch):
    """Neither fit nor score."""
    root, found = tmp_path / "bids", []
    fmriprep.write_tree(root, moved=MOVED, seed=3, forms=["cifti"])
    config = configured(root, "cifti")
    for i, shock in enumerate((0.0, -3000.0)):
        for path in (root / "derivatives/fmriprep/sub-01/func").glob("*.dtseries.nii"):
            values = nib.load(path, mmap=False).get_fdata()
            values[MOVED] += shock
            fmriprep.write_run(path.parent, path.name, values, "cifti", fmriprep.TR / 2)
        fit, _ = fitted(config, tmp_path / f"run{i}", monkeypatch)
        scores = fit.scores()
        found.append((scores.r, scores.r_cv, scores.r_concat, fit.alpha()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_volumes_stand_for_the_times_that_the_sidecar_says(tmp_path):
    """Slices moved to the TR's start are half a TR earlier; without a word, its middle."""
    fmriprep.write_tree(tmp_path, forms=["cifti"])
    config = configured(tmp_path, "cifti", timing={"tr": 2.0, "sound_start": 3.0})
    dataset = Dataset.from_config(config)
    run = dataset.source("01", "one")
    for start_time, expected in ((fmriprep.TR / 2, 3.0), (0.0, 4.0), (None, 3.0)):
        fmriprep.write_sidecar(run, ".dtseries.nii", start_time)
        assert dataset.grid_of("one", 64).sound_start == expected


def problems(config):
    with pytest.raises(ProblemError) as caught:
        validate(config)
    assert all(problem.remedy for problem in caught.value.problems)
    return "\n".join(map(str, caught.value.problems))


def test_all_that_is_wrong_with_the_files_is_told_at_once(tmp_path):
    fmriprep.write_tree(tmp_path, forms=["surface"])
    folder = tmp_path / "derivatives/fmriprep/sub-01/func"
    config = configured(tmp_path, "surface")
    name = "sub-01_task-{}_" + fmriprep.FORMS["surface"]
    (folder / name.format("one", hemi="R")).unlink()
    short = np.zeros((fmriprep.N_VOLUMES, 2 * fmriprep.N_VERTICES - 2))
    short += np.random.default_rng(0).standard_normal(short.shape)
    fmriprep.write_run(folder, name.replace("{}", "two"), short, "surface", 1.0)
    fmriprep.write_sidecar(folder / name.format("three", hemi="L"), ".func.gii", 1.0, tr=1.5)
    table = folder / "sub-01_task-four_desc-confounds_timeseries.tsv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-3]) + "\n")
    said = problems(config)
    assert "task-one_hemi-R_space-fsaverage5_bold.func.gii [right hemisphere]" in said
    assert "task-two_hemi-L" in said
    assert "22 voxels, but a subject's stories should agree" in said
    assert "the sidecar's repetition time is 1.5 s, `timing.tr` is 2 s" in said
    assert "the confounds have 61 rows, the run 64 volumes" in said


def test_other_grayordinates_as_many_as_those_of_the_first_run(tmp_path):
    """And that volumes stand for another time, where a pattern of names tells of no table."""
    fmriprep.write_tree(tmp_path, forms=["cifti"], start_time=0.0)
    path = tmp_path / f"derivatives/fmriprep/sub-01/func/sub-01_task-two_{fmriprep.FORMS['cifti']}"
    img, axis = nib.load(path, mmap=False), fmriprep.brain_models()
    other = axis[::-1]
    series = img.header.get_axis(0)
    nib.save(nib.Cifti2Image(np.asarray(img.get_fdata(), np.float32), (series, other)), path)
    config = configured(tmp_path, "cifti")
    assert "the brain models are not those of" in problems(config)
    config["runs"] = None
    config["transcripts"]["path"] = "stimuli/{story}.TextGrid"
    config["responses"]["path"] = (
        "derivatives/fmriprep/sub-{subject}/func/sub-{subject}_task-{story}_"
        + fmriprep.FORMS["cifti"]
    )
    checked = check_dataset(config).findings
    assert any("the brain models" in p.what for p in checked.problems)
    (warning,) = [w for w in checked.warnings if "StartTime is 0 s" in w.what]
    assert "add 1 s to `timing.sound_start`" in warning.remedy


def test_header_against_sidecar_and_a_space_that_the_mask_is_not_in(tmp_path):
    fmriprep.write_tree(tmp_path, forms=["volume"])
    config = configured(tmp_path, "volume")
    folder = tmp_path / "derivatives/fmriprep/sub-01/func"
    run = folder / f"sub-01_task-one_{fmriprep.FORMS['volume']}"
    fmriprep.write_sidecar(run, ".nii.gz", 1.0, tr=3.0)
    mask = tmp_path / "space-T1w_desc-brain_mask.nii.gz"
    fmriprep.write_mask(mask)
    config["mask"]["path"] = str(mask)
    said = problems(config)
    assert "the header's repetition time is 2 s, the sidecar's 3 s" in said
    assert "the run is in the space MNI152NLin2009cAsym, the mask in T1w" in said
