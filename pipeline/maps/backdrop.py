"""Anatomy under a map, and the fine grid that maps are interpolated to."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine

from pipeline.maps.sampling import interpolation_matrix, weighted_mean
from pipeline.voxels.volume import Mask

COVERAGE = 0.5  # paint up to half-way between the mask's last voxels and the next
MNI_RESOLUTION = 2  # mm, of the anatomy under slices
GRID_RESOLUTION = 3  # mm, of maps: fine enough for BOLD, and a third of the work of 2 mm
MNI_CUTS = range(-32, 68, 9)  # z, mm: cerebellum to vertex
N_NATIVE_CUTS = 12
NATIVE_GREY = 0.7
MARGIN = 1.5  # voxels around a native mask


class Backdrop:
    """Anatomy with the world's axes, and maps on its grid.

    Interpolating with weights that leave out voxels without a value keeps a coarse mask smooth
    and its rim sharp; doing it here, once, saves nilearn the resampling of every map.

    Parameters
    ----------
    mask : Mask
        MNI: the anatomy is the MNI152 template. Native: the mask's own outline, as there is no
        anatomical image.

    Attributes
    ----------
    anatomy : Nifti1Image
        Grey levels, 0 to 1, for slices.
    grid : Nifti1Image
        The same on the grid of the maps.
    cuts : list of float
        Axial slices to show, z in mm.
    """

    def __init__(self, mask: Mask) -> None:
        from nilearn.datasets import load_mni152_template  # slow to import

        mni = mask.space == "MNI"
        self.grid = load_mni152_template(resolution=GRID_RESOLUTION) if mni else _empty_grid(mask)
        points = apply_affine(self.grid.affine, np.indices(self.grid.shape).reshape(3, -1).T)
        matrix = interpolation_matrix(mask, points)
        self._inside = np.flatnonzero(matrix.sum(axis=1) >= COVERAGE)
        self._matrix = matrix[self._inside]
        if mni:
            self.anatomy = load_mni152_template(resolution=MNI_RESOLUTION)
            self.cuts = [float(z) for z in MNI_CUTS]
        else:
            self.grid = self.anatomy = self._fill(NATIVE_GREY, outside=0.0)
            z = apply_affine(mask.img.affine, mask.voxels)[:, 2]
            low, high = np.percentile(z, [5, 95])
            self.cuts = [float(cut) for cut in np.linspace(low, high, N_NATIVE_CUTS)]

    def image(self, values: np.ndarray) -> nib.Nifti1Image:
        """Map of shape (n_voxels,) as an image on the grid; NaN where there is no value."""
        return self._fill(weighted_mean(self._matrix, values, COVERAGE), outside=np.nan)

    def _fill(self, values: np.ndarray | float, outside: float) -> nib.Nifti1Image:
        """Image on the grid with `values` at the points inside the mask."""
        volume = np.full(self.grid.shape, outside, dtype=np.float32)
        volume.ravel()[self._inside] = values
        return nib.Nifti1Image(volume, self.grid.affine)


def _empty_grid(mask: Mask) -> nib.Nifti1Image:
    """Grid of the mask's finest voxel size around the mask, along the world's axes."""
    size = float(np.min(nib.affines.voxel_sizes(mask.img.affine)))
    centres = apply_affine(mask.img.affine, mask.voxels)
    low = centres.min(axis=0) - MARGIN * size
    shape = np.ceil((centres.max(axis=0) + MARGIN * size - low) / size).astype(int) + 1
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = low
    return nib.Nifti1Image(np.zeros(shape, dtype=np.float32), affine)
