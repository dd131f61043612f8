"""What is planted in weights is found in them, and nothing where there is nothing."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from pipeline.bands.registry import BandOptions
from pipeline.embedding.eng1000 import Eng1000
from pipeline.fit.design import Design, Preparation
from pipeline.fit.grams import gram_of
from pipeline.simulation import lexicon
from pipeline.tuning.colours import full_colours, rgb
from pipeline.tuning.components import n_above_chance, principal_axes
from pipeline.tuning.meaning import feature_weights, predicted_voxels
from pipeline.tuning.refits import Refits
from pipeline.tuning.timing import timing
from pipeline.tuning.vocabulary import Vocabulary, vocabulary, word_features
from pipeline.tuning.words import ends, fold_axes, word_table
from tests.helpers.planted import DELAYS, N_BASIS, Planted, cosine


@pytest.fixture(scope="module", params=range(3))
def planted(request):
    """A subject of each of three seeds, fitted."""
    subject = Planted(request.param)
    return subject, subject.fit()


def test_planted_meaning_is_recovered_in_a_and_none_is_in_d(planted):
    """Cosine with the planted weights over that of the same fit without noise."""
    subject, fit = planted
    a = subject.regions == "A"
    noisy = cosine(subject.recovered(fit)[:, a], subject.planted)
    clean = cosine(subject.recovered(subject.fit(noise=1e-3))[:, a], subject.planted)
    assert (noisy / clean).mean() > 0.95
    assert (noisy / clean).min() > 0.8
    predicted = predicted_voxels(fit.r_train, level=0.05)
    assert predicted[a].all()
    assert predicted[~a].mean() <= 0.05
    words = subject.vectors.T - subject.vectors.T.mean(axis=0)
    assert cosine(words @ subject.recovered(fit)[:, a], words @ subject.planted).mean() > 0.95


def test_planted_delays_are_found(planted):
    """The response peaks 5 s after the words (docs/simulation.md)."""
    subject, fit = planted
    a = subject.regions == "A"
    found = timing(subject.weights(fit)[:, :, a], DELAYS, tr=2.0)
    assert np.median(found.peak) == pytest.approx(5.0, abs=0.3)
    assert np.percentile(np.abs(found.peak - 5), 90) < 1
    assert np.median(found.separable) > 0.9


def test_words_are_those_that_the_planted_weights_name(planted, tmp_path):
    """The words that excite region A most are those of the planted weights."""
    subject, fit = planted
    a = subject.regions == "A"
    Eng1000(subject.vectors, lexicon.vocabulary()).save(tmp_path / "eng1000.hf5")
    options = BandOptions("eng1000", None, {"eng1000": str(tmp_path / "eng1000.hf5")})
    words = vocabulary(subject.words, [s.name for s in subject.stories], options)
    assert words.vectors.shape == (len(words.words), N_BASIS)
    voxel = subject.recovered(fit)[:, a][:, :1]
    most, least = words.ends(words.responses(voxel)[:, 0], 20)
    said = dict(zip(lexicon.vocabulary(), subject.vectors.T @ subject.planted[:, 0], strict=True))
    order = sorted(words.words, key=said.get)
    assert len(set(most) & set(order[-40:])) >= 15
    assert len(set(least) & set(order[:40])) >= 15


@dataclass
class Heard:
    """A subject of the `Planted` kind, as `pipeline.tuning.subject.Subject` is asked."""

    planted: Planted
    name = "S"

    def __post_init__(self):
        self.dataset, self._responses = self, self.planted.responses()

    def read_responses(self, _, story):
        return self._responses[story]

    def grid(self, story):
        return next(s.grid for s in self.planted.stories if s.name == story)


def refits(subject, fit, voxels, **others):
    """The fit's weights of some voxels, solved again."""
    return Refits(
        Heard(subject), Design((subject.band,)), fit.final.alpha, subject.folds,
        shifted_voxels=voxels[:2], fold_voxels=voxels, seed=0, **others,
    )  # fmt: skip


def test_weights_without_a_fold_are_those_of_the_other_stories(planted):
    """Held against ridge of scikit-learn on these stories alone; kept Gram matrices serve."""
    subject, fit = planted
    voxels, band = np.array([0, 7, 45]), subject.band
    kept = SimpleNamespace(name=band.name, preparation=band.preparation)
    found = refits(subject, fit, voxels).without_folds(kept)
    gram = {(band.name, band.name): gram_of(band, band, subject.folds)}
    stored = refits(subject, fit, voxels, grams=gram).without_folds(kept)
    responses = subject.responses()
    for fold, weights in enumerate(found):
        np.testing.assert_allclose(stored[fold], weights, rtol=1e-6, atol=1e-9)
        others = [story for story, own in subject.folds.items() if own != fold]
        x = np.concatenate([band.rows(story) for story in others])
        y = np.concatenate([responses[story] for story in others])[:, voxels]
        ridge = Ridge(alpha=fit.final.alpha[0, voxels]).fit(x.astype(float), y)
        by_delay = ridge.coef_.T.reshape(len(DELAYS), -1, len(voxels))
        expected = feature_weights(
            by_delay * np.reshape(band.weights, (-1, 1, 1)), band.preparation
        )
        np.testing.assert_allclose(weights, expected, atol=2e-3 * np.abs(expected).max())


def test_words_of_a_place_that_answers_stay_and_those_of_noise_do_not(planted):
    """Twenty words of a voxel at either end, without each fold's stories."""
    subject, fit = planted
    voxels = np.array([0, 1, 2, 3, 40, 41, 42, 43])
    kept = SimpleNamespace(name=subject.band.name, preparation=subject.band.preparation)
    space = Vocabulary(lexicon.vocabulary(), subject.vectors.T - subject.vectors.T.mean(axis=0))
    whole = space.responses(subject.recovered(fit)[:, voxels])
    by_fold = np.stack(
        [space.responses(w) for w in refits(subject, fit, voxels).without_folds(kept)]
    )
    table = word_table(space, [str(v) for v in voxels], "voxel", whole, by_fold)
    stability = table.groupby(table["place"].astype(int))["stability"].mean()
    assert stability[:4].min() > 0.7
    noise = stability.reindex(voxels[4:]).fillna(0)  # of those left out there are no words
    assert stability[:4].mean() > noise.mean() + 0.1


def test_words_are_counted_in_the_folds_lists():
    """All folds, none of them, and no fold known; where a band is left out there are no words."""
    space = Vocabulary(list("abcdefgh"), np.eye(8))
    response = np.arange(8.0)
    found = ends(space, response, np.stack([response, -response]), n=3)
    assert found["most"].words == ["h", "g", "f"] and found["most"].again == [1, 1, 1]
    assert found["least"].words == ["a", "b", "c"] and found["least"].again == [1, 1, 1]
    assert found["most"].stability(2) == 0.5
    unknown = ends(space, response, np.full((2, 8), np.nan), n=3)["most"]
    assert unknown.again is None and np.isnan(unknown.stability(2))
    responses = np.stack([response, np.zeros(8)], axis=1)
    table = word_table(space, ["here", "left out"], "region", responses, responses[None])
    assert set(table["place"]) == {"here"} and (table["stability"] == 1).all()


def test_axes_are_found_again_whatever_their_order_and_sign():
    rng = np.random.default_rng(5)
    scores = rng.standard_normal((3, 200)) * np.array([[3.0], [2.0], [1.0]])
    basis, _ = np.linalg.qr(rng.standard_normal((7, 3)))
    axes = principal_axes(basis @ scores, 3)
    turned = basis @ (scores * np.array([[-1.0], [2.0], [1.0]]))  # the second is now the first
    found, cosine = fold_axes(axes, [turned, basis @ scores])
    assert (cosine > 0.98).all()
    np.testing.assert_allclose(found[1], axes.axes, atol=1e-6)
    assert (np.sum(found[0] * axes.axes, axis=1) > 0.95).all()


def test_words_alone_have_the_vectors_of_the_embedding(tmp_path):
    """More of them than fit into one batch."""
    rng = np.random.default_rng(0)
    names = [f"w{i}" for i in range(1203)]
    space = Eng1000(rng.standard_normal((7, 1203)).astype(np.float32), names)
    space.save(tmp_path / "eng1000.hf5")
    options = BandOptions("eng1000", None, {"eng1000": str(tmp_path / "eng1000.hf5")})
    asked = [*names[::-1], "unknown"]
    np.testing.assert_allclose(word_features(asked, options), space.vectors(asked), atol=1e-6)


def test_predicted_voxels_keep_their_rate_though_folds_share_stories():
    """Out-of-fold r of two noises hold the same product: twice the variance is true."""
    rng, rate = np.random.default_rng(1), []
    for _ in range(20):
        y = rng.standard_normal((6, 30, 100))  # story, row, voxel
        x = rng.standard_normal((6, 30, 4))
        xy = np.einsum("srf,srv->sfv", x, y)
        r = []
        for story in range(6):
            own = [s for s in range(6) if s // 2 != story // 2]
            predicted = x[story] @ xy[own].sum(axis=0)
            r.append(
                [np.corrcoef(p, m)[0, 1] for p, m in zip(predicted.T, y[story].T, strict=True)]
            )
        z = np.arctanh(np.array(r))
        t = z.mean(axis=0) / (z.std(axis=0, ddof=1) * np.sqrt(2 / 6))
        rate.append(
            [(stats.t.sf(t, 5) < 0.05).mean(), (stats.t.sf(t * np.sqrt(2), 5) < 0.05).mean()]
        )
        assert predicted_voxels(np.array(r), 0.05).mean() <= 0.03
    kept, naive = np.mean(rate, axis=0)
    assert kept < 0.07
    assert naive > 0.09


def test_a_voxel_that_does_not_vary_is_not_predicted():
    r = np.full((5, 3), 0.5) + np.random.default_rng(0).normal(0, 0.01, (5, 3))
    r[:, 1] = np.nan
    assert predicted_voxels(r, 0.05).tolist() == [True, False, True]


def test_axes_are_those_of_scikit_learn():
    weights = np.random.default_rng(2).standard_normal((9, 40)) * np.arange(1, 10)[:, None]
    found, pca = principal_axes(weights, 5), PCA(5).fit(weights.T)
    np.testing.assert_allclose(np.abs(found.axes), np.abs(pca.components_), atol=1e-8)
    np.testing.assert_allclose(found.share, pca.explained_variance_ratio_)
    np.testing.assert_allclose(
        np.abs(found.scores(weights)), np.abs(pca.transform(weights.T).T), atol=1e-8
    )
    assert (found.axes[np.arange(5), np.abs(found.axes).argmax(axis=1)] > 0).all()


def test_axes_count_until_one_is_no_larger_than_chance():
    shifted = np.tile([2.0, 1.0, 0.5], (20, 1))
    assert n_above_chance(np.array([3.0, 1.5, 0.4]), shifted) == 2
    assert n_above_chance(np.array([1.0, 1.5, 0.6]), shifted) == 0
    assert n_above_chance(np.array([3.0, 1.5, 0.6]), shifted) == 3


def test_delays_are_averaged_and_components_projected_back():
    rng = np.random.default_rng(3)
    weights, components = rng.standard_normal((4, 3, 5)), rng.standard_normal((8, 3))
    found = feature_weights(weights, Preparation(components=components))
    np.testing.assert_allclose(found, components @ weights.mean(axis=0))
    np.testing.assert_allclose(feature_weights(weights, Preparation()), weights.mean(axis=0))


@pytest.mark.parametrize("peak", [3.1, 4.0, 5.2])
def test_the_course_of_a_response_is_measured(peak):
    """A Gaussian course of 2 s standard deviation, for columns of any signs."""
    delays, tr = range(11), 1.0
    course = np.exp(-np.square(np.arange(11) - peak) / 8)
    columns = np.random.default_rng(4).standard_normal((6, 2))
    found = timing(course[:, None, None] * columns, delays, tr)
    np.testing.assert_allclose(found.peak, peak, atol=0.1)
    np.testing.assert_allclose(found.width, 2 * 2.3548, atol=0.6)
    np.testing.assert_allclose(found.separable, 1)
    np.testing.assert_allclose(found.course[:, 0], course / np.linalg.norm(course), atol=1e-9)


def test_weights_of_nothing_have_no_timing_and_an_edge_is_the_peak():
    weights = np.zeros((3, 2, 2))
    weights[:, :, 1] = np.array([3.0, 2.0, 1.0])[:, None]
    found = timing(weights, (1, 2, 3), 2.0)
    assert np.isnan(found.peak[0])
    assert np.isnan(found.width[0])
    assert found.peak[1] == 2.0


def test_colours_are_grey_in_the_middle_and_full_at_the_ends():
    scores = np.array([[0.0, 2.0, -5.0]])
    np.testing.assert_allclose(rgb(scores, np.array([2.0])), [[0.5, 1, 0], [0.5] * 3, [0.5] * 3])
    assert full_colours(np.arange(-100.0, 101)[None])[0] == pytest.approx(95, abs=1)
