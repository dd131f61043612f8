"""A stepwise search takes what tells something, inside every fold, and nothing else."""

from dataclasses import replace

import numpy as np

from benchmarks.stepwise import Fits, Nested, fit_nested, forward
from pipeline.fit.design import Band, Design
from pipeline.fit.regression import Regression

STORIES = [f"story{i}" for i in range(8)]
ROWS, VOXELS, WIDTH = 120, 6, 70


def regressions(seed: int = 0):
    """Responses that follow two of four bands, more the first, by their names."""
    rng = np.random.default_rng(seed)
    names = ("base", "strong", "weak", "nothing")
    features = {
        n: {s: rng.normal(size=(ROWS, WIDTH)).astype(np.float32) for s in STORIES} for n in names
    }
    maps = {n: rng.normal(size=(WIDTH, VOXELS)) for n in names}
    share = {"base": 1.0, "strong": 1.0, "weak": 0.5, "nothing": 0.0}
    responses = {
        s: sum(share[n] * features[n][s] @ maps[n] for n in names) / WIDTH**0.5
        + rng.normal(size=(ROWS, VOXELS))
        for s in STORIES
    }
    folds = {s: i % 4 for i, s in enumerate(STORIES)}

    def of(bands) -> Regression:
        design = Design(tuple(Band(n, features[n], (0,), (1.0,)) for n in bands))
        return Regression(design, responses, folds, np.array([1.0, 10, 100, 1000]))

    return of


def test_bands_are_added_by_what_they_tell_and_noise_never():
    of, made = regressions(), {}

    def nested(bands) -> Nested:
        key = tuple(sorted(bands))
        made[key] = made.get(key) or fit_nested(of(key))
        return made[key]

    for fold in range(4):
        path = forward(fold, ["base"], ["weak", "nothing", "strong"], nested, least=0.002)
        assert path == ["strong", "weak"]


def test_a_choice_knows_nothing_of_its_fold():
    """Whatever the responses of a fold are, the search that leaves it out says the same."""
    of = regressions()
    clean = of(("base", "strong"))
    spoilt = {s: y.copy() for s, y in clean.responses.items()}
    for story, fold in clean.folds.items():
        if fold == 1:
            spoilt[story] = np.random.default_rng(5).normal(size=spoilt[story].shape)
    other = Regression(clean.design, spoilt, clean.folds, clean.alphas)
    before, after = fit_nested(clean), fit_nested(other)
    assert np.isclose(before.inner[1], after.inner[1], atol=1e-5)
    assert not np.isclose(before.inner[0], after.inner[0], atol=1e-3)


def test_a_memory_is_searched_once_for_the_folds_left_out():
    whole, asked = regressions()(("base", "strong", "weak")), []
    base, strong, weak = whole.design.bands

    def remade(out):
        asked.append(out)
        return strong

    bands = (base, replace(strong, remade=remade, folds=whole.folds), weak)
    fits = Fits(replace(whole, design=Design(bands)))
    found = [fits(names) for names in (["base", "strong"], ["base", "strong", "weak"])]
    assert len(asked) == len(set(asked)) == 6 + 4  # pairs of four folds, and each by itself
    wanted = fit_nested(replace(whole, design=Design((base, strong))))
    np.testing.assert_allclose(found[0].inner, wanted.inner, atol=1e-6)
