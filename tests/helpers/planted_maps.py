"""Maps of subjects on a small grid, with an effect in one corner of it."""

import nibabel as nib
import numpy as np

from pipeline.voxels.adjacency import volume_edges
from pipeline.voxels.volume import Mask

SHAPE = (6, 5, 4)


def grid(hole=False):
    """A mask of the whole grid, or without its middle, and its neighbours."""
    inside = np.ones(SHAPE, np.int8)
    if hole:
        inside[2:4, 2, 1:3] = 0
    mask = Mask(nib.Nifti1Image(inside, np.eye(4)))
    return mask, volume_edges(mask)


def planted(n_subjects, seed):
    """One map a subject, and where the effect is."""
    rng = np.random.default_rng(seed)
    where = np.zeros(SHAPE, bool)
    where[:3, :3, :2] = True
    values = rng.standard_normal((n_subjects, *SHAPE)) + 2.2 * where
    return values.reshape(n_subjects, -1), where.ravel()
