"""What averaging gives to models that copy BOLD is told from what they know."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from pipeline.bands.compute import band_features
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.series import pearson, zscore
from pipeline.dataset.basis import fit_basis
from pipeline.fit.design import Design, make_band
from pipeline.fit.refit import solve_again
from pipeline.matching.matches import NO_MATCH, Matches, Matching, newest_match
from pipeline.statistics.blocks import block_starts
from pipeline.statistics.presentations import Made, heard_once
from pipeline.tables.presentations import AVERAGING, CLEANER, presentations_table
from tests.helpers.responses import rewrite, write_responses

ROWS = {**{f"train{i}": 200 for i in range(6)}, "test": 240}
TRAIN = [story for story in ROWS if story != "test"]
N_VOXELS, N = 30, 20
AR = BandOptions("ar", None, {**kind_of("ar").options, "horizon": 2})
GIM = BandOptions("gim", None, {**kind_of("gim").options, **asdict(Matching(horizon=2))})
SCENES, LONG = 5, 10  # kinds of scenes, and the rows of one
WORDS = BandOptions("position", None, {})


def slow(rng, n, phi=0.9):
    """Four signals as slow as BOLD."""
    return zscore(lfilter([1.0], [1.0, -phi], rng.standard_normal((n + 50, 4)), axis=0)[50:])


def scenes(rng, n):
    """Scenes of a few kinds in random order, and each row's match: the scene's time before."""
    kinds = rng.integers(0, SCENES, n // LONG)
    last, found = {}, []
    for at, kind in enumerate(kinds.tolist()):
        before = last.get(kind)
        found += [NO_MATCH if before is None else before * LONG + i for i in range(LONG)]
        last[kind] = at
    newest = newest_match(n, GIM.matching)
    match_row = np.where(np.array(found) <= newest, found, NO_MATCH)
    return kinds, Matches.hard(match_row, np.ones(n))


def listen(tmp_path, stimulus_driven):
    """A subject with a slow signal under much noise: the same in every presentation, or its own."""
    rng = np.random.default_rng(0)
    dataset = write_responses(tmp_path, ROWS, N_VOXELS)
    mixing = rng.standard_normal((4, N_VOXELS)) * (0.08 if stimulus_driven else 0.35)
    presentations = None
    for story, n in ROWS.items():
        same = slow(rng, n)
        heard = np.stack(
            [
                (same if stimulus_driven else slow(rng, n)) @ mixing
                + rng.standard_normal((n, N_VOXELS))
                for _ in range(N if story == "test" else 1)
            ]
        )
        if story == "test":
            presentations = heard
        rewrite(dataset, "S1", story, zscore(heard.mean(axis=0)))
    return dataset, presentations


def watch(tmp_path):
    """A subject that hears scenes come back, the same in every presentation, under much noise."""
    rng = np.random.default_rng(0)
    dataset = write_responses(tmp_path, ROWS, N_VOXELS)
    signal = rng.standard_normal((SCENES, LONG, 12)) @ rng.standard_normal((12, N_VOXELS))
    matches, presentations = {}, None
    for story, n in ROWS.items():
        kinds, matches[story] = scenes(rng, n)
        noise = rng.standard_normal((N if story == "test" else 1, n, N_VOXELS))
        heard = 0.07 * signal[kinds].reshape(n, N_VOXELS) + noise
        if story == "test":
            presentations = heard
        rewrite(dataset, "S1", story, zscore(heard.mean(axis=0)))
    return dataset, presentations, matches


def table(dataset, presentations, name="ar", options=AR, matches=None):
    """The table of a model of noise, the baseline, and of that with a band that copies BOLD."""
    bold = {story: dataset.read_responses("S1", story) for story in ROWS}
    basis = fit_basis(dataset, "S1", TRAIN, 10)
    rng = np.random.default_rng(1)
    words = {story: rng.standard_normal((n, 3)) for story, n in ROWS.items()}
    matches = matches or dict.fromkeys(ROWS)
    past = {s: band_features(options, basis.scores(y), matches[s]) for s, y in bold.items()}
    words = make_band("words", words, WORDS, (), TRAIN)
    copied = make_band(name, past, options, (), TRAIN)
    made = {name: Made(options, basis, matches["test"])}
    heard = {}
    for model, bands in {"words": (words,), name: (words, copied)}.items():
        design, alpha = Design(bands), np.full((len(bands), N_VOXELS), 1.0)
        weights, intercept = solve_again(design, {s: bold[s] for s in TRAIN}, alpha, "gram")
        heard["S1", model, "test"] = heard_once(
            design,
            made if model == name else {},
            lambda rows, w=weights, b=intercept: rows @ w + b,
            story="test",
            measured=bold["test"],
            presentations=presentations,
        )
        predicted = design.rows("test") @ weights + intercept
        np.testing.assert_allclose(
            heard["S1", model, "test"].mean[0], pearson(predicted, bold["test"]), atol=1e-5
        )
    found = presentations_table(
        heard, {("S1", "test"): N}, {"words": False, name: True}, "words"
    ).set_index("model")
    return found, heard


def test_a_gain_of_averaging_alone_is_flagged(tmp_path):
    found, heard = table(*listen(tmp_path, stimulus_driven=True))
    row = found.loc["ar"]
    assert row["gain_mean_lo"] > 0.05
    assert row["gain_single"] < row["gain_clean"] / 2 < row["gain_mean"] / 2
    assert row["note"] == f"{CLEANER.format(n=N)}; {AVERAGING}"
    words = heard["S1", "words", "test"]
    np.testing.assert_array_equal(words.single, words.clean)  # it copies nothing
    assert pd.isna(found.loc["words", "note"])


def test_matches_that_gain_by_averaging_alone_are_flagged(tmp_path):
    """True matches, and BOLD after them that one hearing shows too faintly to be worth copying."""
    dataset, presentations, matches = watch(tmp_path)
    row = table(dataset, presentations, "gim", GIM, matches)[0].loc["gim"]
    assert row["gain_mean_lo"] > 0.05
    assert row["gain_single"] < row["gain_clean"] / 2 < row["gain_mean"] / 2
    assert row["note"] == f"{CLEANER.format(n=N)}; {AVERAGING}"


def test_what_a_presentation_has_of_its_own_is_not(tmp_path):
    """Its own past predicts it best from itself: the mean of others knows nothing of it."""
    row = table(*listen(tmp_path, stimulus_driven=False))[0].loc["ar"]
    assert row["gain_single_lo"] > 0
    assert row["gain_single"] > row["gain_clean"]
    assert row["note"] == CLEANER.format(n=N)


@pytest.mark.parametrize("block", [20, 40])
def test_blocks_are_left_out_in_turn(tmp_path, block):
    rng = np.random.default_rng(2)
    band = make_band("words", {"test": rng.standard_normal((100, 2))}, WORDS, (), ["test"])
    y = rng.standard_normal((2, 100, 3))
    scored = heard_once(
        Design((band,)), {}, lambda rows: rows @ np.ones((2, 3)), story="test",
        measured=y.mean(axis=0), presentations=y, block=block,
    )  # fmt: skip
    rest = slice(0, block_starts(100, block)[-1])
    predicted = (band.rows("test") @ np.ones((2, 3)))[rest]
    np.testing.assert_allclose(scored.first[-1], pearson(predicted, y[0][rest]), atol=1e-5)
