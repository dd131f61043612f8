"""A small dataset as fMRIPrep leaves it: BIDS names, volumes, surfaces, CIFTI, confounds, sidecars.

Half of a subject's voxels (vertices, grayordinates) follow the words of every story, the others are
noise: what must be found is known.
"""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.cifti2 import BrainModelAxis, SeriesAxis

from tests.helpers.datasets import long_textgrid

TASKS = ["one", "two", "three", "four", "five"]
N_VOLUMES, TR = 64, 2.0
SHAPE = (4, 3, 2)
N_VERTICES = 12  # of a hemisphere, of which CIFTI leaves two out
FORMS = {
    "volume": "space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz",
    "surface": "hemi-{hemi}_space-fsaverage5_bold.func.gii",
    "cifti": "space-fsLR_den-91k_bold.dtseries.nii",
}
AFFINE = np.diag([40.0, 40, 40, 1])


def brain_models():
    """Ten vertices of each hemisphere, and four voxels below the cortex."""
    kept = np.arange(N_VERTICES) < N_VERTICES - 2
    left, right = (
        BrainModelAxis.from_mask(kept, name=f"cortex_{side}") for side in ("left", "right")
    )
    voxels = np.zeros(SHAPE, bool)
    voxels[:2, :2, 0] = True
    return left + right + BrainModelAxis.from_mask(voxels, "thalamus_left", AFFINE)


N_VALUES = {
    "volume": int(np.prod(SHAPE)),
    "surface": 2 * N_VERTICES,
    "cifti": len(brain_models()),
}


def is_planted(n):
    """Which of n values follow the words."""
    return np.arange(n) % 2 == 0


def words_of(rng):
    """Words in bursts, from the first volume to the last: intervals of a TextGrid."""
    rates, intervals, time = rng.uniform(0.3, 4, N_VOLUMES), [], 0.0
    while time < N_VOLUMES * TR - 2:
        length = round(1 / rates[int(time / TR)], 2)
        intervals.append((round(time, 2), round(time + length, 2), rng.choice(["so", "it", "was"])))
        time += length
    return intervals


def response_to(intervals, delay=2):
    """Words a volume, some volumes later, scaled."""
    onsets = np.array([start for start, *_ in intervals])
    rate = np.bincount((onsets / TR).astype(int), minlength=N_VOLUMES)[:N_VOLUMES]
    delayed = np.r_[np.full(delay, rate.mean()), rate[:-delay]]
    return (delayed - delayed.mean()) / delayed.std()


def write_tree(root, subjects=("01",), seed=0, start_time=TR / 2, moved=None, forms=tuple(FORMS)):
    """Write the tree under `root`; at the volume `moved` the head moves, and all values jump."""
    rng = np.random.default_rng(seed)
    stories = {task: words_of(rng) for task in TASKS}
    (root / "stimuli").mkdir(parents=True)
    for task, intervals in stories.items():
        (root / "stimuli" / f"{task}.TextGrid").write_text(long_textgrid({"words": intervals}))
    for subject in subjects:
        folder = root / "derivatives" / "fmriprep" / f"sub-{subject}" / "func"
        folder.mkdir(parents=True)
        write_mask(folder / f"sub-{subject}_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz")
        for task, intervals in stories.items():
            stem = f"sub-{subject}_task-{task}"
            motion = rng.standard_normal((N_VOLUMES, 6)).cumsum(axis=0) / 50
            for form in forms:
                n = N_VALUES[form]
                values = rng.standard_normal((N_VOLUMES, n)) + 3 * motion[:, :1]
                values[:, is_planted(n)] += 2 * response_to(intervals)[:, None]
                if moved is not None:
                    values[moved] += 1000
                write_run(folder, f"{stem}_{FORMS[form]}", 100 + values, form, start_time)
            write_confounds(folder / f"{stem}_desc-confounds_timeseries.tsv", motion, moved)


def write_mask(path):
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), path)


def write_run(folder, name, values, form, start_time=None, tr=TR):
    """A run of shape (n_volumes, n_values) in one form, with its sidecar."""
    values = values.astype(np.float32)
    if form == "surface":
        for hemi, own in zip("LR", np.split(values, 2, axis=1), strict=True):
            path = folder / name.format(hemi=hemi)
            arrays = [nib.gifti.GiftiDataArray(v, "NIFTI_INTENT_TIME_SERIES") for v in own]
            nib.save(nib.GiftiImage(darrays=arrays), path)
            write_sidecar(path, ".func.gii", start_time, tr)
        return
    path = folder / name
    if form == "cifti":
        axes = SeriesAxis(0, tr, len(values)), brain_models()
        nib.save(nib.Cifti2Image(values, axes), path)
        write_sidecar(path, ".dtseries.nii", start_time, tr)
        return
    img = nib.Nifti1Image(values.T.reshape(*SHAPE, -1), AFFINE)
    img.header.set_zooms((*img.header.get_zooms()[:3], tr))
    img.header.set_xyzt_units("mm", "sec")
    nib.save(img, path)
    write_sidecar(path, ".nii.gz", start_time, tr)


def write_meshes(folder):
    """A fan of triangles a hemisphere, `lh.surf.gii` and `rh.surf.gii`; their paths by side."""
    angle = 2 * np.pi * np.arange(N_VERTICES - 1) / (N_VERTICES - 1)
    ring = np.stack([10 * np.cos(angle), 30 * np.sin(angle), 20 * np.cos(angle)], axis=1)
    points = np.concatenate([[[5.0, 0, 0]], ring])
    faces = [[0, 1 + k, 1 + (k + 1) % (N_VERTICES - 1)] for k in range(N_VERTICES - 1)]
    paths = {"left": folder / "lh.surf.gii", "right": folder / "rh.surf.gii"}
    for path, shift in zip(paths.values(), (-30, 30), strict=True):
        moved = (points + np.array([shift, 0, 0])).astype(np.float32)
        arrays = [
            nib.gifti.GiftiDataArray(moved, "NIFTI_INTENT_POINTSET"),
            nib.gifti.GiftiDataArray(np.array(faces, np.int32), "NIFTI_INTENT_TRIANGLE"),
        ]
        nib.save(nib.GiftiImage(darrays=arrays), path)
    return paths


def write_sidecar(path, ending, start_time, tr=TR):
    told = {"RepetitionTime": tr} | ({} if start_time is None else {"StartTime": start_time})
    Path(str(path).removesuffix(ending) + ".json").write_text(json.dumps(told))


def write_confounds(path, motion, moved=None):
    """Six parameters, their derivatives (the first row is n/a), and framewise displacement."""
    names = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
    table = pd.DataFrame(motion, columns=names)
    for name in names:
        table[f"{name}_derivative1"] = table[name].diff()
    table["framewise_displacement"] = 0.1
    table["std_dvars"] = 1.0
    table.loc[0, ["framewise_displacement", "std_dvars"]] = np.nan
    if moved is not None:
        table.loc[moved, "framewise_displacement"] = 5.0
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    path.with_suffix(".json").write_text("{}")
