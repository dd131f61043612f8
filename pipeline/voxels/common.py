"""Subjects whose values lie in one space: the places that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import nibabel as nib
import numpy as np

from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

OWN = ("", "fsnative")  # spaces of surfaces that are one subject's own, or nobody knows whose


def common_voxels(masks: Mapping[str, Mask]) -> tuple[Mask, dict[str, np.ndarray]] | str:
    """The voxels that the masks of all subjects have.

    Subjects are in one space if they have one mask, or masks on one grid in MNI space.

    Parameters
    ----------
    masks : mapping of subject to Mask
        At least one.

    Returns
    -------
    (Mask, dict of subject to array of int) or str
        A mask of them, and their indices in each subject's vector in its order; or why there are
        none.
    """
    first = next(iter(masks.values()))
    shape = first.img.shape
    if {mask.source for mask in masks.values()} == {first.source}:
        return first, {subject: np.arange(first.n_voxels) for subject in masks}
    for subject, mask in masks.items():
        if "native" in (mask.space, first.space):
            return "the subjects have masks of their own in native space"
        same = mask.img.shape == shape and np.allclose(mask.img.affine, first.img.affine, atol=1e-3)
        if not same:
            return f"the mask of {subject} is on another grid than {first.source}"
    places = {s: np.ravel_multi_index(tuple(m.voxels.T), shape) for s, m in masks.items()}
    shared = np.zeros(np.prod(shape), dtype=np.uint8)
    shared[_in_all(list(places.values()), shared.size)] = 1
    if not shared.any():
        return "no voxel is in the masks of all subjects"
    mask = Mask(
        nib.Nifti1Image(shared.reshape(shape), first.img.affine, first.img.header),
        first.order,
        first.space,
        "voxels of all subjects",
    )
    wanted = np.ravel_multi_index(tuple(mask.voxels.T), shape)
    return mask, {subject: _indices(own, wanted) for subject, own in places.items()}


def common_vertices(places: Mapping[str, Vertices]) -> Vertices | str:
    """Where the values of all subjects lie on the surface, or why they do not lie in one space."""
    first = next(iter(places.values()))
    if first.space in OWN:
        return "the surfaces are the subjects' own" if first.space else "no file says its space"
    for subject, own in places.items():
        if _form(own) != _form(first) or own.axis != first.axis:
            return f"the vertices of {subject} are others than those of {first.source}"
    return first


def _form(vertices: Vertices) -> tuple[str, int, dict[str, int]]:
    """Space, values, and vertices of each hemisphere."""
    sizes = {side: hemisphere.n_vertices for side, hemisphere in vertices.hemispheres.items()}
    return vertices.space, vertices.n_values, sizes


def _in_all(places: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Places that are in each array."""
    return np.flatnonzero(np.bincount(np.concatenate(places), minlength=n) == len(places))


def _indices(places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each wanted place is among the places."""
    order = np.argsort(places)
    return order[np.searchsorted(places, wanted, sorter=order)]
