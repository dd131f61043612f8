"""What is planted in weights is found in them, and nothing where there is nothing."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from pipeline.bands.registry import BandOptions
from pipeline.embedding.eng1000 import Eng1000
from pipeline.fit.design import Preparation
from pipeline.simulation import lexicon
from pipeline.tuning.colours import full_colours, rgb
from pipeline.tuning.components import n_above_chance, principal_axes
from pipeline.tuning.meaning import feature_weights, predicted_voxels
from pipeline.tuning.timing import timing
from pipeline.tuning.vocabulary import vocabulary, word_features
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
