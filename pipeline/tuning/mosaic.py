"""Axial slices side by side, a pixel a voxel: a small picture on which every voxel has a place."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np

from pipeline.voxels.volume import Mask

MOST_SLICES, ACROSS = 15, 5
GAP = 1  # pixels between slices
BARE = 0.22  # grey of voxels without a colour


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Where voxels are on the picture.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    at : array of int, shape (n_voxels, 2)
        Row and column of every voxel; -1 if its slice is not shown.
    aspect : float
        Height of a pixel over its width.
    """

    shape: tuple[int, int]
    at: np.ndarray
    aspect: float

    @classmethod
    def of(cls, mask: Mask) -> Mosaic:
        """At most `MOST_SLICES` slices of a mask from the lowest to the highest, seen from above.

        Left is left, front is up; the pictures are no larger than the mask is wide.
        """
        orientation = nib.io_orientation(mask.img.affine)
        places = np.empty_like(mask.voxels)
        zooms = np.empty(3)
        for axis, (to, flip) in enumerate(orientation.astype(int)):
            own = mask.voxels[:, axis]
            places[:, to] = own if flip > 0 else mask.img.shape[axis] - 1 - own
            zooms[to] = mask.img.header.get_zooms()[axis]
        places -= places.min(axis=0)
        width, depth, _ = places.max(axis=0) + 1
        filled = np.unique(places[:, 2])
        inner = np.linspace(0, len(filled) - 1, min(MOST_SLICES, len(filled)) + 2)[1:-1]
        cuts = np.unique(filled[inner.astype(int)])
        tile = np.full(filled.max() + 1, -1)
        tile[cuts] = np.arange(len(cuts))
        row, column = np.divmod(tile[places[:, 2]], ACROSS)
        at = np.stack(
            [
                row * (depth + GAP) + depth - 1 - places[:, 1],
                column * (width + GAP) + places[:, 0],
            ],
            axis=1,
        )
        at[tile[places[:, 2]] < 0] = -1
        across = min(ACROSS, len(cuts))
        rows = -(-len(cuts) // ACROSS)
        shape = int(rows * (depth + GAP) - GAP), int(across * (width + GAP) - GAP)
        return cls(shape, at, float(zooms[1] / zooms[0]))

    @property
    def shown(self) -> np.ndarray:
        """Whether each voxel is on the picture, array of bool, (n_voxels,)."""
        return self.at[:, 0] >= 0

    def paint(self, colours: np.ndarray) -> np.ndarray:
        """Picture (rows, columns, 3) of colours 0..1, (3, n_voxels); NaN is grey, outside black."""
        picture = np.zeros((*self.shape, 3))
        row, column = self.at[self.shown].T
        picture[row, column] = np.nan_to_num(colours[:, self.shown], nan=BARE).T
        return picture
