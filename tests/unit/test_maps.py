"""Maps show every voxel where it is, on common scales, and nothing where there is no value."""

import logging

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage, load_mni152_brain_mask
from nilearn.surface import vol_to_surf

from pipeline.errors import InputError
from pipeline.maps import write_histograms, write_maps
from pipeline.maps.backdrop import Backdrop
from pipeline.maps.figures import GlassBrain, InteractiveView, Slices, _peak, cheap_collection
from pipeline.maps.sampling import interpolation_matrix, weighted_mean
from pipeline.maps.scale import correlation_scale, difference_scale
from pipeline.maps.surface import VIEWS, Cortex, SurfaceFigure
from pipeline.volume import Mask, to_volume

BANDS = {"eng1000": ["eng1000"], "wordrate": ["wordrate"], "gim": ["eng1000", "gim"]}


@pytest.fixture(scope="module", autouse=True)
def _fast():
    """What other tests have loaded makes nilearn's garbage collections slow."""
    with cheap_collection():
        yield


@pytest.fixture(scope="module")
def mask() -> Mask:
    """About 2,600 voxels of 9 mm, stored with x running to the left, in pycortex's order."""
    img = load_mni152_brain_mask(resolution=9)
    inside = (img.get_fdata()[::-1] > 0).astype(np.uint8)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = img.shape[0] - 1
    return Mask(nib.Nifti1Image(inside, img.affine @ flip), "zyx", "MNI")


@pytest.fixture(scope="module")
def places(mask) -> np.ndarray:
    return apply_affine(mask.img.affine, mask.voxels)


@pytest.fixture(scope="module")
def cortex(mask) -> Cortex:
    return Cortex(mask)


@pytest.fixture(scope="module")
def backdrop(mask) -> Backdrop:
    return Backdrop(mask)


def blob(places, centre, width=14.0) -> np.ndarray:
    return np.exp(-np.sum((places - centre) ** 2, axis=1) / (2 * width**2))


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
    scale = difference_scale([np.linspace(-0.2, 0.2, 50)], "eng1000")
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
    change = difference_scale(maps, "eng1000")
    assert (change.vmin, change.vmax) == (-0.3, 0.3)
    assert "eng1000" in change.label
    for flat in ([np.zeros(3)], [np.full(3, np.nan)]):
        assert correlation_scale(flat).vmax > 0


def test_colours_grow_lighter_and_bare_in_the_middle():
    r, change = correlation_scale([np.ones(3)]), difference_scale([np.ones(3)], "b")
    light = r.cmap(np.linspace(0, 1, 20))[:, :3] @ [0.3, 0.6, 0.1]
    assert (np.diff(light) > 0).all()
    low, middle, high = change.cmap([0.0, 0.5, 1.0])
    assert middle[3] < 0.3 < low[3] == high[3] == 1
    assert low[2] > low[0]  # blue: less
    assert high[0] > high[2]  # orange: more
    assert change.cmap(np.ma.masked)[3] == 0


# Files


@pytest.fixture(scope="module")
def correlations(places) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    base = 0.3 * blob(places, [-55, -20, 5], 20) + 0.02 * rng.standard_normal(len(places))
    base[:5] = np.nan
    return {
        "eng1000": base,
        "wordrate": 0.1 * base,
        "gim": base + 0.08 * blob(places, [-45, -60, 28]),
    }


@pytest.fixture(scope="module")
def written(mask, correlations, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "sub-S1"
    return folder, write_maps(correlations, BANDS, mask, folder, "S1", figures_for=["gim"])


def test_every_model_has_its_files(written):
    folder, paths = written
    stems = [
        "eng1000_stat-r",
        "wordrate_stat-r",
        "gim_stat-r",
        "wordrate_stat-rdiff",
        "gim_stat-rdiff",
    ]
    expected = {f"sub-S1_model-{s}_{end}" for s in stems for end in ("statmap.nii.gz", "glass.png")}
    expected |= {
        f"sub-S1_model-gim_stat-{stat}_{end}"
        for stat in ("r", "rdiff")
        for end in ("slices.png", "surface.png", "view.html")
    }
    assert {path.name for path in paths} == expected
    assert {path.name for path in folder.iterdir()} == expected  # no partial file either


def test_pictures_are_not_blank_and_differ(written):
    _, paths = written
    pictures = {path.name: imread(path) for path in paths if path.suffix == ".png"}
    for name, image in pictures.items():
        assert image.shape[1] > 1000, name
        assert image[..., :3].std() > 0.05, name
    r, change = (pictures[f"sub-S1_model-gim_stat-{s}_surface.png"] for s in ("r", "rdiff"))
    assert np.abs(r - change).max() > 0.3


def test_nifti_holds_the_map_and_the_scale(written, mask, correlations):
    folder, _ = written
    headers = []
    for model, values in correlations.items():
        img = nib.load(folder / f"sub-S1_model-{model}_stat-r_statmap.nii.gz")
        np.testing.assert_allclose(img.affine, mask.img.affine, atol=1e-5)
        at_mask = img.get_fdata()[tuple(mask.voxels.T)]
        np.testing.assert_allclose(at_mask, values, atol=1e-7)
        headers.append((float(img.header["cal_min"]), float(img.header["cal_max"])))
    assert len(set(headers)) == 1
    change = nib.load(folder / "sub-S1_model-gim_stat-rdiff_statmap.nii.gz")
    expected = correlations["gim"] - correlations["eng1000"]
    np.testing.assert_allclose(change.get_fdata()[tuple(mask.voxels.T)], expected, atol=1e-7)
    # Word rate, which does not contain the baseline and loses 0.27, does not set the scale.
    assert 0.05 < float(change.header["cal_max"]) <= 0.1


def test_view_opens_at_the_peak_and_says_what_it_shows(mask, backdrop, places, tmp_path):
    values = 0.3 * blob(places, [45, 30, 10])
    view = InteractiveView(backdrop, correlation_scale([values]))
    view.save(values, tmp_path / "v.html", "S1, <gim>", "a + b")
    page = (tmp_path / "v.html").read_text()
    assert "<h1>S1, &lt;gim&gt;</h1><p>a + b</p>" in page
    assert str(view.scale) in page
    peak = places[np.argmax(values)]
    image = backdrop.image(values)
    assert np.linalg.norm(_peak(image, view.scale) - peak) < 6


def test_equal_input_gives_equal_nifti_files(mask, correlations, tmp_path):
    native = Mask(mask.img, mask.order)
    for folder in ("a", "b"):
        paths = write_maps(correlations, BANDS, native, tmp_path / folder, "S1", figures_for=[])
        assert len(paths) == 5
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


def test_native_space_gets_slices_only_and_says_why(mask, correlations, tmp_path, caplog):
    native = Mask(mask.img, mask.order, "native", "native.nii.gz")
    only = {"eng1000": correlations["eng1000"]}
    with caplog.at_level(logging.INFO, logger="pipeline.maps"):
        paths = write_maps(only, BANDS, native, tmp_path, "S1")
    stem = "sub-S1_model-eng1000_stat-r_"
    endings = {"statmap.nii.gz", "slices.png", "view.html"}
    assert {path.name for path in paths} == {stem + end for end in endings}
    assert imread(tmp_path / f"{stem}slices.png")[..., :3].std() > 0.05
    why = [m for m in caplog.messages if "native space" in m]
    assert len(why) == 1
    assert "native.nii.gz" in why[0]


def test_wrong_voxel_count_and_unknown_model_are_input_errors(mask, correlations, tmp_path):
    short = {"eng1000": correlations["eng1000"][:-1]}
    with pytest.raises(InputError, match="model eng1000"):
        write_maps(short, BANDS, mask, tmp_path, "S1")
    with pytest.raises(InputError, match="no such model: gimm"):
        write_maps(correlations, BANDS, mask, tmp_path, "S1", figures_for=["gimm"])
    assert list(tmp_path.iterdir()) == []


def test_histograms(correlations, tmp_path):
    path = write_histograms(correlations, BANDS, tmp_path / "h.png", "S1")
    image = imread(path)
    assert image[..., :3].std() > 0.05
    taller = write_histograms(dict(list(correlations.items())[:1]), BANDS, tmp_path / "1.png", "S1")
    assert imread(taller).shape[0] < image.shape[0]
    empty = {"eng1000": np.full(7, np.nan)}
    assert write_histograms(empty, BANDS, tmp_path / "0.png", "S1").stat().st_size > 1000


def test_weighted_mean_needs_coverage():
    matrix = interpolation_matrix(
        Mask(nib.Nifti1Image(np.ones((2, 1, 1), np.uint8), np.eye(4))),
        np.array([[0.0, 0, 0], [0.4, 0, 0], [0.6, 0, 0]]),
    )
    result = weighted_mean(matrix, np.array([2.0, np.nan]), 0.5)
    np.testing.assert_array_equal(result, [2, 2, np.nan])
