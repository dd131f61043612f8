"""A mask, and where its voxels are."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from nilearn.datasets import load_mni152_brain_mask

from pipeline.maps.backdrop import Backdrop
from pipeline.maps.figures import cheap_collection
from pipeline.maps.surface import Cortex
from pipeline.voxels.volume import Mask


@pytest.fixture(scope="module", autouse=True)
def _fast():
    """What other tests have loaded makes nilearn's garbage collections slow."""
    with cheap_collection():
        yield


@pytest.fixture(scope="session")
def mask() -> Mask:
    """About 2,600 voxels of 9 mm, stored with x running to the left, in pycortex's order."""
    img = load_mni152_brain_mask(resolution=9)
    inside = (img.get_fdata()[::-1] > 0).astype(np.uint8)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = img.shape[0] - 1
    return Mask(nib.Nifti1Image(inside, img.affine @ flip), "zyx", "MNI")


@pytest.fixture(scope="session")
def places(mask) -> np.ndarray:
    return apply_affine(mask.img.affine, mask.voxels)


@pytest.fixture(scope="session")
def cortex(mask) -> Cortex:
    return Cortex.of_mask(mask)


@pytest.fixture(scope="session")
def backdrop(mask) -> Backdrop:
    return Backdrop(mask)


def blob(places, centre, width=14.0) -> np.ndarray:
    return np.exp(-np.sum((places - centre) ** 2, axis=1) / (2 * width**2))
