"""Weights of a finished fit, solved again at its alphas and kept in two bytes each."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from gim.files import file_digest
from pipeline.bands.compute import BandFile
from pipeline.bands.registry import BandOptions
from pipeline.core.errors import ProblemError
from pipeline.core.series import delay
from pipeline.fit.design import Design, load_band
from pipeline.fit.file import FitFile
from pipeline.fit.grams import GramFile
from pipeline.fit.memory import refit_block_size
from pipeline.fit.options import Alphas, FitOptions, training_folds
from pipeline.fit.refit import keep_band, keep_weights
from pipeline.fit.run import fit_model
from pipeline.fit.weights_file import WeightsFile
from tests.helpers.responses import rewrite, write_responses

ROWS = {"a": 60, "b": 50, "c": 55, "d": 45, "t": 70}
TRAIN, TEST = ["a", "b", "c", "d"], ["t"]
KINDS = {
    "words": BandOptions("eng1000", 5, {"downsample": "lanczos"}),
    "rate": BandOptions("wordrate", None, {"downsample": "sum"}),
    "past": BandOptions("ar", None, {"order": 1, "horizon": 2}),
}
OPTIONS = FitOptions(
    n_folds=3, alphas=Alphas(-1, 4, 6), refinements=0, n_scalings=3, reference_voxels=4,
    solver="gram", fold_seed=0, search_seed=0, device="cpu", memory_gb=4, voxels_per_block=None,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Responses of which most voxels follow the bands, and the bands' files."""
    folder = tmp_path_factory.mktemp("kept")
    dataset, rng = write_responses(folder, ROWS, n_voxels=12), np.random.default_rng(3)
    widths, paths, values = {"words": 9, "rate": 1, "past": 3}, {}, {}
    for name, n in widths.items():
        paths[name] = folder / f"{name}.h5"
        values[name] = {s: rng.standard_normal((rows, n)) for s, rows in ROWS.items()}
        columns = [f"basis {i}" for i in range(n)] if name == "words" else None
        with BandFile.create(paths[name], columns=columns) as file:
            for story, features in values[name].items():
                file.write(story, features)
    mixing = {name: rng.standard_normal((n, 8)) for name, n in widths.items()}
    for story in ROWS:
        responses = dataset.read_responses("S1", story)
        responses[:, :8] += sum(delay(values[n][story], [1]) @ mixing[n] for n in widths)
        responses[:, 11] = 0.5
        rewrite(dataset, "S1", story, responses)
    bands = tuple(
        load_band(n, paths[n], options=KINDS[n], delays=(1, 2), train=TRAIN, test=TEST)
        for n in widths
    )
    return dataset, Design(bands), paths


def fit(made, path, **options):
    dataset, design, _ = made
    fit_model(
        dataset, "S1", design=design, train=TRAIN, test=TEST, options=replace(OPTIONS, **options),
        attributes={"model": "m"}, output=path,
    )  # fmt: skip
    return path


def kept(made, fitted, path, **others):
    dataset, design, paths = made
    options = {"options": replace(OPTIONS, **others.pop("options", {}))}
    keep_weights(
        dataset, "S1", design=design, train=TRAIN, fit=fitted, attributes={"model": "m"},
        kept=[keep_band(b, {"features": paths[b.name]}, KINDS[b.name]) for b in design.bands],
        output=path, **options | others,
    )  # fmt: skip
    return WeightsFile(path)


def predicted(file, features):
    """The test story from features and what the file says, nothing else."""
    total = file.intercept()[None]
    for band in file.bands():
        columns = delay(band.preparation.apply(features[band.name]), band.delays)
        weights = file.weights(band.name)
        total = total + columns @ weights.reshape(-1, weights.shape[-1])
    return total


@pytest.mark.parametrize("solver", ["gram", "kernel", "himalaya"])
def test_what_is_kept_predicts_what_the_fit_predicted(made, tmp_path, solver):
    """Features, means, components, delays and weights are all in the file."""
    fitted = fit(made, tmp_path / "fit.h5", solver=solver)
    file = kept(made, fitted, tmp_path / "weights.h5", options={"voxels_per_block": 5})
    features = {name: BandFile(path).read(TEST)["t"] for name, path in made[2].items()}
    saved = FitFile(fitted).predictions()["t"]
    assert saved[:, :8].std() > 0.3
    error = np.abs(predicted(file, features) - saved).max(axis=0)
    np.testing.assert_array_less(error, 1e-3 * saved.std(axis=0) + 1e-6)


def test_blocks_and_stored_grams_change_nothing(made, tmp_path):
    fitted = fit(made, tmp_path / "fit.h5")
    whole = kept(made, fitted, tmp_path / "whole.h5")
    bands, grams = made[1].bands, []
    folds = training_folds(TRAIN, ROWS, OPTIONS.n_folds, seed=0)
    for i, a in enumerate(bands):
        for b in bands[i:]:
            grams.append(tmp_path / f"{a.name}_{b.name}.h5")
            GramFile.write(grams[-1], a, b, folds)
    blocks = kept(
        made, fitted, tmp_path / "blocks.h5", grams=grams, options={"voxels_per_block": 5}
    )
    for band in bands:
        a, b = whole.weights(band.name), blocks.weights(band.name)
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(a).max())


def test_every_voxel_and_band_uses_all_of_its_two_bytes(made, tmp_path):
    kept(made, fit(made, tmp_path / "fit.h5"), tmp_path / "weights.h5")
    with h5py.File(tmp_path / "weights.h5") as raw:
        for band in made[1].bands:
            assert raw[f"{band.name}/weights"].dtype == np.int16
            largest = np.abs(raw[f"{band.name}/weights"][:].astype(int)).max(axis=(0, 1))
            assert set(largest[:11]) == {2**15 - 1}


def test_sums_over_delays_are_the_sums(made, tmp_path):
    fitted = fit(made, tmp_path / "fit.h5")
    separate = kept(made, fitted, tmp_path / "separate.h5")
    summed = kept(made, fitted, tmp_path / "summed.h5", summed=True)
    assert summed.summed()
    for band in summed.bands():
        whole = separate.weights(band.name).sum(axis=0, keepdims=True)
        tolerance = 1e-4 * np.abs(whole).max()
        np.testing.assert_allclose(summed.weights(band.name), whole, atol=tolerance)


def test_what_a_band_was_made_with_is_kept(made, tmp_path):
    file = kept(made, fit(made, tmp_path / "fit.h5"), tmp_path / "weights.h5")
    words, rate, past = file.bands()
    assert words.columns == [f"basis {i}" for i in range(9)]
    assert rate.columns is None
    assert words.preparation.components.shape == (9, 5)
    assert past.preparation.mean.shape == (3,)
    assert (words.delays, past.delays) == ((1, 2), (0,))
    assert words.options == KINDS["words"]
    assert past.digests == {"features": file_digest(made[2]["past"])}


def test_a_band_that_there_is_not_is_named(made, tmp_path):
    file = kept(made, fit(made, tmp_path / "fit.h5"), tmp_path / "weights.h5")
    with pytest.raises(ProblemError, match=r"no band 'gim'.*words, rate, past"):
        file.weights("gim")


def test_blocks_shrink_with_memory_and_hold_a_voxel_at_least():
    shape = {"n_rows": 34_000, "n_columns": 5_740, "n_bands": 2}
    sizes = [refit_block_size(95_556, gb, "gram", **shape) for gb in (64, 16, 8, 1)]
    assert sizes[0] == 95_556
    assert sizes[1] > sizes[2] > sizes[3] >= 1
