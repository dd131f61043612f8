"""Damaged files of nilearn's atlases."""

import nibabel
import numpy as np

from tests.fuzz.formats import ATLAS, ATLAS_NAMES
from tests.fuzz.registry import cut, damage, dangling, edit, lfs_pointer


def _image(path, change):
    img = nibabel.load(path)
    values = change(np.asanyarray(img.dataobj).copy())
    path.unlink()
    nibabel.save(nibabel.Nifti1Image(values, img.affine), path)


@damage(ATLAS, refused="not on this disk", names="nilearn's atlas harvard_oxford")
def atlas_missing(path):
    """The image is not there, and nothing is downloaded."""
    path.unlink()


@damage(ATLAS, refused="cannot be read")
def atlas_cut_short(path):
    """The end of the image is missing."""
    cut(path)


@damage(ATLAS, refused="cannot be read")
def atlas_of_text(path):
    """A web page that a download saved instead of the image."""
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>" + "x" * 5000)


@damage(ATLAS, refused="cannot be read")
def atlas_a_pointer(path):
    """The image is an unfetched pointer."""
    lfs_pointer(path)


@damage(ATLAS, refused="not on this disk", names="nilearn's atlas harvard_oxford")
def atlas_dangling(path):
    """The image is a link that leads nowhere."""
    dangling(path)


@damage(ATLAS, refused="not a labelled image", names="harvard_oxford")
def atlas_of_fractions(path):
    """The image has probabilities instead of numbers of regions."""
    _image(path, lambda values: (values / 7).astype(np.float32))


@damage(ATLAS, refused="none of its regions holds a voxel", names="harvard_oxford")
def atlas_of_nothing(path):
    """No voxel is of any region."""
    _image(path, np.zeros_like)


@damage(ATLAS_NAMES, refused="cannot be read", names="harvard_oxford")
def atlas_names_cut_short(path):
    """The end of the file of names is missing."""
    cut(path)


@damage(ATLAS_NAMES, refused="its list has no name for 2", names="harvard_oxford")
def atlas_name_lost(path):
    """The file of names leaves a region out."""
    edit(path, '<label index="1">East</label>', "")
