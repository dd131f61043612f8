"""Maps show every voxel where it is, on common scales, and nothing where there is no value."""

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage
from nilearn.surface import vol_to_surf

from pipeline.maps.figures import GlassBrain, Slices
from pipeline.maps.sampling import interpolation_matrix
from pipeline.maps.scale import correlation_scale, difference_scale
from pipeline.maps.surface import VIEWS, SurfaceFigure
from pipeline.voxels.volume import Mask, to_volume
from tests.pipeline.maps.conftest import blob


def picture(figure, values, tmp_path) -> np.ndarray:
    """RGB of a figure of a map, without its title."""
    figure.save(values, tmp_path / "figure.png", "", "")
    return imread(tmp_path / "figure.png")[..., :3]


# Where a voxel goes


def test_left_voxel_is_on_the_left_hemisphere_only(cortex, places):
    at_left = np.argmin(np.sum((places - [-55, -20, 5]) ** 2, axis=1))
    assert places[at_left, 0] < -40
    values = np.zeros(len(places))
    values[at_left] = 1.0
    sampled = cortex.sample(values)
    assert np.nanmax(sampled["left"]) > 0.2
    assert np.nanmax(np.abs(sampled["right"])) == 0


def test_sampling_agrees_with_nilearn(mask, places, cortex):
    smooth = np.sin(places / 25).sum(axis=1)
    ours = cortex.sample(smooth)
    meshes = load_fsaverage("fsaverage5")
    for hemi in ("left", "right"):
        theirs = vol_to_surf(
            to_volume(smooth, mask),
            meshes["pial"].parts[hemi],
            inner_mesh=meshes["white_matter"].parts[hemi],
            kind="depth",
        )
        both = np.isfinite(ours[hemi]) & np.isfinite(theirs)
        assert both.mean() > 0.5
        assert np.corrcoef(ours[hemi][both], theirs[both])[0, 1] > 0.995


def test_medial_wall_is_not_painted(cortex, places):
    sampled = cortex.sample(np.ones(len(places)))
    for values in sampled.values():
        assert 0.02 < np.isnan(values).mean() < 0.15
        assert np.nanmin(values) == pytest.approx(1)


@pytest.mark.parametrize("view", VIEWS)
def test_views_look_from_where_they_say(cortex, view):
    hemi, _, _ = VIEWS[view]
    mesh = load_fsaverage("fsaverage5")["inflated"].parts[hemi].coordinates
    x, y, z = (cortex.rasters[view].paint(column) for column in mesh.T)
    row, column = np.nonzero(np.isfinite(x))
    assert np.corrcoef(row, z[row, column])[0, 1] < -0.95  # up is superior
    posterior_to_anterior = np.corrcoef(column, y[row, column])[0, 1]
    anterior_right = view in ("left medial", "right lateral")
    assert posterior_to_anterior * (1 if anterior_right else -1) > 0.95
    # The side that is seen is the near one.
    outward = -1 if hemi == "left" else 1
    side = outward * (1 if "lateral" in view else -1)
    assert side * np.nanmean(x - mesh[:, 0].mean()) > 10


def test_interpolation_is_linear_inside_and_stops_at_the_rim():
    inside = np.ones((3, 4, 5), np.uint8)
    grid = Mask(nib.Nifti1Image(inside, np.diag([2.0, 3, 4, 1])))
    world = apply_affine(grid.img.affine, grid.voxels)
    plane = world @ [1.0, -2.0, 0.5]
    points = np.array([[1.3, 4.4, 9.9], [3.9, 8.9, 0.1], [4.0, 9.0, 16.0]])
    matrix = interpolation_matrix(grid, points)
    np.testing.assert_allclose(matrix @ plane, points @ [1.0, -2.0, 0.5], atol=1e-9)
    rim = interpolation_matrix(grid, np.array([[-1.0, 3, 4], [-3.0, 3, 4]])).sum(axis=1)
    np.testing.assert_allclose(rim, [0.5, 0])


def test_backdrop_has_the_values_at_the_voxels(mask, places, backdrop):
    values = places @ [1.0, 2.0, 3.0]
    image = backdrop.image(values)
    grid = apply_affine(image.affine, np.argwhere(np.isfinite(image.get_fdata())))
    found = image.get_fdata()[np.isfinite(image.get_fdata())]
    inner = interpolation_matrix(mask, grid).sum(axis=1) > 1 - 1e-9
    assert inner.sum() > 10000
    np.testing.assert_allclose(found[inner], grid[inner] @ [1.0, 2.0, 3.0], atol=1e-3)


def halves(figure, panel, image) -> tuple[float, float]:
    """Sums of the left and of the right half of a panel of a picture."""
    box = panel.ax.get_position()
    left, right = (int(edge * image.shape[1]) for edge in (box.x0, box.x1))
    bottom, top = (int((1 - edge) * image.shape[0]) for edge in (box.y0, box.y1))
    first, second = np.array_split(image[top:bottom, left:right], 2, axis=1)
    return float(first.sum()), float(second.sum())


def test_left_is_left_on_slices(backdrop, places, tmp_path):
    scale = correlation_scale([np.full(1, 0.3)])
    figure = Slices(backdrop, scale)
    blank = picture(figure, np.zeros(len(places)), tmp_path)
    sums = []
    for x in (-50, 50):
        shown = picture(figure, 0.3 * blob(places, [x, -20, 5], 9), tmp_path)
        changed = np.abs(shown - blank).sum(axis=2)
        sums.append(halves(figure, figure.displays[0].axes[4.0], changed))
    (left_at_left, left_at_right), (right_at_left, right_at_right) = sums
    assert left_at_left > 50 * left_at_right
    assert right_at_right > 50 * right_at_left


def test_left_is_left_on_glass_brain(backdrop, places, tmp_path):
    figure = GlassBrain(backdrop, correlation_scale([np.full(1, 0.3)]))
    blank = picture(figure, np.zeros(len(places)), tmp_path)
    views = figure.displays[0].axes
    for x, seen, unseen in [(-50, "l", "r"), (50, "r", "l")]:
        # Above and in front: on the left view, front is left; on the right view, right.
        shown = picture(figure, 0.3 * blob(places, [x, 25, 20], 9), tmp_path)
        changed = np.abs(shown - blank).sum(axis=2)
        there = halves(figure, views[seen], changed)
        assert sum(there) > 50 * sum(halves(figure, views[unseen], changed))
        front = 0 if seen == "l" else 1
        assert there[front] > 10 * there[1 - front]
        assert np.argmax(halves(figure, views["z"], changed)) == (0 if x < 0 else 1)


# No value


def test_missing_voxels_neither_count_as_zero_nor_spread(places, backdrop, cortex):
    values = np.full(len(places), 0.3)
    missing = np.linalg.norm(places - [30, -20, 45], axis=1) < 20
    values[missing] = np.nan
    data = backdrop.image(values).get_fdata()
    np.testing.assert_allclose(data[np.isfinite(data)], 0.3, atol=1e-6)
    ijk = np.round(apply_affine(np.linalg.inv(backdrop.grid.affine), [30, -20, 45])).astype(int)
    assert np.isnan(data[tuple(ijk)])
    for vertices in cortex.sample(values).values():
        np.testing.assert_allclose(vertices[np.isfinite(vertices)], 0.3, atol=1e-6)


@pytest.mark.filterwarnings("ignore:empty mask")
@pytest.mark.parametrize("kind", ["slices", "glass", "surface"])
def test_no_value_leaves_anatomy_bare_and_zero_does_not(backdrop, cortex, places, tmp_path, kind):
    scale = difference_scale([np.linspace(-0.2, 0.2, 50)])
    figure = {
        "slices": lambda: Slices(backdrop, scale),
        "glass": lambda: GlassBrain(backdrop, scale),
        "surface": lambda: SurfaceFigure(cortex, scale),
    }[kind]()
    nothing = np.full(len(places), np.nan)
    bare = picture(figure, nothing, tmp_path)
    if kind != "surface":
        figure.canvas.save(tmp_path / "anatomy.png", "", "")  # without any layer
        np.testing.assert_array_equal(bare, imread(tmp_path / "anatomy.png")[..., :3])
    positive = picture(figure, np.where(places[:, 0] < 0, 0.2, np.nan), tmp_path)
    assert (np.abs(positive - bare).sum(axis=2) > 0.1).mean() > 0.01
    if kind != "glass":  # whose ground is as dark as the middle of the scale
        zero = picture(figure, np.zeros(len(places)), tmp_path)
        assert (np.abs(zero - bare).sum(axis=2) > 0.02).mean() > 0.02
    np.testing.assert_array_equal(picture(figure, nothing, tmp_path), bare)  # layers are removed


# Scales


def test_scales_are_common_and_readable():
    maps = [np.array([-0.3, 0.11, np.nan]), np.array([0.0, 0.237, 0.1])]
    r = correlation_scale(maps)
    assert (r.vmin, r.vmax) == (0.0, 0.25)
    change = difference_scale(maps)
    assert (change.vmin, change.vmax) == (-0.3, 0.3)
    for flat in ([np.zeros(3)], [np.full(3, np.nan)]):
        assert correlation_scale(flat).vmax > 0


def test_colours_grow_lighter_and_bare_in_the_middle():
    r, change = correlation_scale([np.ones(3)]), difference_scale([np.ones(3)])
    light = r.cmap(np.linspace(0, 1, 20))[:, :3] @ [0.3, 0.6, 0.1]
    assert (np.diff(light) > 0).all()
    low, middle, high = change.cmap([0.0, 0.5, 1.0])
    assert middle[3] < 0.3 < low[3] == high[3] == 1
    assert low[2] > low[0]  # blue: less
    assert high[0] > high[2]  # orange: more
    assert change.cmap(np.ma.masked)[3] == 0
