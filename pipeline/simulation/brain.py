"""The simulated brain: a coarse mask of a real one, and its four regions."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nilearn.datasets import load_mni152_brain_mask

from pipeline.simulation.bold import REGIONS


def brain_mask(n_voxels: int) -> nib.Nifti1Image:
    """MNI152 brain mask with about `n_voxels` voxels.

    Every k-th voxel along each axis of the 1 mm mask that comes with nilearn, k whole.
    """
    fine = load_mni152_brain_mask(resolution=1)
    step = max(1, round((np.count_nonzero(fine.dataobj) / n_voxels) ** (1 / 3)))
    every = slice(step // 2, None, step)
    coarse = fine.slicer[every, every, every]
    img = nib.Nifti1Image(np.asarray(coarse.dataobj).astype(np.uint8), coarse.affine)
    img.set_sform(coarse.affine, code="mni")
    img.set_qform(coarse.affine, code="mni")
    return img


def assign_regions(mask: nib.Nifti1Image, shares: tuple[float, ...]) -> np.ndarray:
    """Region of each voxel: A to D, slabs from the back of the brain to the front.

    Parameters
    ----------
    mask : Nifti1Image, shape (x, y, z)
        Nonzero inside.
    shares : tuple of float
        Share of each region in the voxels.

    Returns
    -------
    array of str, shape (n_voxels,)
        In the mask's C order (z fastest).
    """
    x, y, z = np.nonzero(np.asarray(mask.dataobj))
    order = np.lexsort((x, z, y))  # by y, then z, then x
    bounds = np.round(np.cumsum(shares) * len(order)).astype(int)[:-1]
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    return np.array(list(REGIONS))[np.searchsorted(bounds, rank, side="right")]
