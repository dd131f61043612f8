"""The picture on which vertices are chosen, and colours as files of the surface."""

import nibabel as nib
import numpy as np
import pytest

from pipeline.maps.meshes import cortex_of
from pipeline.maps.values import write_colours
from pipeline.tuning.colours import pictures
from pipeline.tuning.hemispheres import Hemispheres
from pipeline.voxels.vertices import Vertices, called

N = 10242  # vertices of a hemisphere of fsaverage5


@pytest.fixture(scope="module")
def vertices():
    return Vertices.of_pair(N, N, "sub-S_hemi-L_space-fsaverage5_bold.func.gii")


@pytest.fixture(scope="module")
def hemispheres(vertices):
    return Hemispheres.of(cortex_of(vertices), vertices.n_values)


def test_a_vertex_is_where_its_colour_is(hemispheres):
    """Colours that follow the mesh are found again, painted, at each vertex's pixel."""
    meshes = [hemispheres.cortex.inflated[side] for side in ("left", "right")]
    places = np.concatenate([mesh.coordinates for mesh in meshes])[:, 1:]
    low, high = places.min(axis=0), places.max(axis=0)
    side = np.repeat([0.2, 0.8], N)
    colours = np.vstack([((places - low) / (high - low)).T, side])
    row, column = hemispheres.at[hemispheres.shown].T
    found = hemispheres.paint(colours)[row, column].T
    assert hemispheres.shown.mean() > 0.9
    # A pixel is some 2 mm wide, of 200; a coarse mesh's triangles are as large.
    assert np.percentile(np.abs(found - colours[:, hemispheres.shown]), 99) < 0.04


def test_bare_cortex_is_grey_and_what_is_beside_it_black(hemispheres):
    bare = hemispheres.paint(np.full((3, 2 * N), np.nan))
    assert np.ptp(bare, axis=2).max() == 0
    row, column = hemispheres.at[hemispheres.shown].T
    assert (bare[row, column] > 0.1).all() and (bare == 0).mean() > 0.1


def test_a_value_below_the_cortex_has_no_place(vertices):
    more = Hemispheres.of(cortex_of(vertices), vertices.n_values + 5)
    assert not more.shown[vertices.n_values :].any()


def test_the_only_picture_of_the_surface_is_the_surface(hemispheres, vertices):
    colours = np.random.default_rng(0).random((3, 2 * N))
    ((kind, panels, aspect),) = pictures(colours, vertices, hemispheres, None)
    assert (kind, len(panels), aspect) == ("surface", 4, 1.0)
    assert not list(pictures(colours, vertices, None, None))


def test_colours_are_files_of_the_form_the_responses_came_in(vertices, tmp_path):
    colours = np.random.default_rng(0).random((3, 2 * N)).astype(np.float32)
    colours[:, 7] = np.nan
    files = write_colours(colours, vertices, tmp_path, "sub-S_desc-m", "meaning")
    assert [path.name for path in files] == [
        f"sub-S_hemi-{hemi}_space-fsaverage5_desc-m_rgb.func.gii" for hemi in "LR"
    ]
    read = [np.stack([a.data for a in nib.load(path).darrays]) for path in files]
    np.testing.assert_array_equal(np.hstack(read), colours)


def test_what_is_on_a_surface_is_no_voxel(vertices):
    axis = nib.cifti2.BrainModelAxis.from_surface(np.arange(5), 20, "CortexLeft")
    assert called(vertices) == ("vertex", "vertices")
    assert called(Vertices.of_axis(axis, "a.dtseries.nii")) == ("grayordinate", "grayordinates")
    assert called(None) == ("voxel", "voxels")


def test_colours_of_brain_models_are_three_maps(tmp_path):
    axis = nib.cifti2.BrainModelAxis.from_surface(
        np.arange(0, 20, 2), 20, "CortexLeft"
    ) + nib.cifti2.BrainModelAxis.from_surface(np.arange(5), 20, "CortexRight")
    own = Vertices.of_axis(axis, "sub-S_space-fsLR_den-91k_bold.dtseries.nii")
    colours = np.random.default_rng(0).random((3, 15)).astype(np.float32)
    (path,) = write_colours(colours, own, tmp_path, "sub-S_desc-m", "meaning")
    read = nib.load(path)
    np.testing.assert_array_equal(read.get_fdata(dtype=np.float32), colours)
    assert list(read.header.get_axis(0).name) == [f"meaning: {c}" for c in ("red", "green", "blue")]
    assert read.header.get_axis(1) == axis
