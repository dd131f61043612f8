"""What predicts which region of the simulated subject, and on the null subject nothing."""

import dataclasses

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from pipeline.dataset import Dataset
from pipeline.design import delay, zscore
from pipeline.downsample import downsample
from pipeline.features.base import Story
from pipeline.matchers import matchers, oracle
from pipeline.matching import OPTIONS, Matches, induction_features, newest_match
from pipeline.simulate import Settings, simulate, story_names
from pipeline.stimuli import read_textgrid

SUBJECT = "sub01"
SMALL = Settings(n_train=6, rows=(150, 200), n_voxels=300, n_repeats=3)
RECURRENCES = ("verbatim", "paraphrase")
N_COMPONENTS = 25


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, [SUBJECT], SMALL, seed=0)
    return Data(root)


@pytest.fixture(scope="module")
def null_data(tmp_path_factory):
    root = tmp_path_factory.mktemp("null")
    simulate(root, [SUBJECT], dataclasses.replace(SMALL, null=True), seed=0)
    return Data(root)


class Data:
    """A simulated subject as the workflow sees it."""

    def __init__(self, root):
        self.root = root
        dataset = Dataset(root, {})
        self.truth = str(dataset.truth)
        self.events = pd.read_csv(dataset.truth / "events.tsv", sep="\t")
        with h5py.File(dataset.truth / "regions.h5") as file:
            self.region = file[SUBJECT][:].astype(str)
        self.train, self.test = story_names(SMALL)
        names = self.train + self.test
        self.stories = {
            s: Story(s, read_textgrid(dataset.textgrid(s)), dataset.grid(s)) for s in names
        }
        self.bold = {s: dataset.read_responses(SUBJECT, s).astype(float) for s in names}
        with h5py.File(dataset.eng1000) as file:
            vocab = [word.decode() for word in file["vocab"]]
            self.vectors = pd.DataFrame(file["data"][:].T, index=vocab)

    def scores(self):
        """Principal components fitted on the training stories."""
        pca = PCA(N_COMPONENTS, random_state=0).fit(
            np.concatenate([self.bold[s] for s in self.train])
        )
        return {s: pca.transform(y) for s, y in self.bold.items()}

    def newest(self, story):
        return newest_match(self.stories[story].grid.n_rows, 2, OPTIONS)

    def oracle(self):
        return {s: oracle.match(self.stories[s], self.newest(s), None, {"truth": self.truth})
                for s in self.stories}  # fmt: skip

    def meaning(self):
        """Eng1000 on the TR grid, delays 1-4; 20 of its components, as its rank is 12."""
        rows = {}
        for s, story in self.stories.items():
            values = self.vectors.loc[story.words.word].to_numpy(float)
            times = (story.words[c].to_numpy() for c in ("onset", "offset"))
            rows[s] = zscore(downsample(values, *times, story.grid, "lanczos"))
        pca = PCA(20, random_state=0).fit(np.concatenate([rows[s] for s in self.train]))
        return {s: delay(pca.transform(x), range(1, 5)) for s, x in rows.items()}

    def changes(self, matches):
        """How the BOLD changed after the matched rows, delays 1-6."""
        scores = self.scores()
        x = {s: induction_features(m, scores[s], (1, 2, 3)) for s, m in matches.items()}
        scale = np.concatenate([x[s] for s in self.train]).std(axis=0)
        return {s: delay(v / scale, range(1, 7)) for s, v in x.items()}

    def test_r(self, *bands):
        """Mean held-out r in each region of a ridge regression on the bands."""

        def rows(s):
            return np.concatenate([band[s] / np.sqrt(band[s].shape[1]) for band in bands], axis=1)

        x, y = (np.concatenate([f(s) for s in self.train]) for f in (rows, self.bold.get))
        model = Ridge(alpha=3.0).fit(x, y)
        r = np.mean(
            [(zscore(model.predict(rows(s))) * self.bold[s]).mean(axis=0) for s in self.test],
            axis=0,
        )
        return {region: r[self.region == region].mean() for region in "ABCD"}


def test_regions_c_and_d_have_their_autocorrelation(data):
    lag1 = [np.mean(y[1:] * y[:-1], axis=0) for y in data.bold.values()]
    of = dict(zip("CD", ([a[data.region == r].mean() for a in lag1] for r in "CD"), strict=True))
    # half of C's variance is AR(1); the finite, z-scored story biases it down
    assert np.mean(of["C"]) == pytest.approx(0.85 * 0.5, abs=0.08)
    assert abs(np.mean(of["D"])) < 0.03


def lag_shuffled(matches, rng):
    """Matches as far back as those of other rows."""
    lags = np.concatenate([(m.row - m.match_row)[m.match_row >= 0] for m in matches.values()])
    shuffled = {}
    for s, m in matches.items():
        match = m.match_row.copy()
        for row in np.flatnonzero(match >= 0):
            other = lags[(lags <= row) & (abs(lags - (row - match[row])) > 3)]
            match[row] = row - rng.choice(other) if len(other) else -1
        shuffled[s] = Matches.hard(match, np.ones(len(match)))
    return shuffled


@pytest.fixture(scope="module")
def gains(data, null_data):
    """What the oracle's features add to Eng1000, and what lag-shuffled ones do, by region."""
    found = {}
    for name, subject in (("real", data), ("null", null_data)):
        matches, meaning = subject.oracle(), subject.meaning()
        shuffled = lag_shuffled(matches, np.random.default_rng(0))
        found[name] = {
            "meaning": subject.test_r(meaning),
            "oracle": subject.test_r(meaning, subject.changes(matches)),
            "control": subject.test_r(meaning, subject.changes(shuffled)),
        }
    return found


def test_the_oracle_predicts_region_b_only(gains):
    real = gains["real"]
    gain = {region: real["oracle"][region] - real["control"][region] for region in "ABCD"}
    assert gain["B"] > 0.2
    assert all(abs(gain[region]) < 0.05 for region in "ACD")


def test_word_meaning_predicts_region_a_only(gains):
    r = gains["real"]["meaning"]
    assert r["A"] > 0.5
    assert all(abs(r[region]) < 0.1 for region in "BCD")


def test_the_null_subject_shows_no_gain(gains):
    null = gains["null"]
    assert null["meaning"]["A"] > 0.5
    assert all(abs(null["oracle"][r] - null["control"][r]) < 0.06 for r in "ABCD")


def test_attainable_r_is_above_what_the_oracle_reaches(data, null_data, gains):
    attainable, null = (
        pd.read_csv(d.root / "truth" / "oracle.tsv", sep="\t").set_index("story").attainable_r
        for d in (data, null_data)
    )
    assert gains["real"]["oracle"]["B"] < attainable[["test01", "test02"]].mean() < 0.95
    assert attainable["test01"] > attainable["test02"]  # the average of repeats has less noise
    assert (null == 0).all()


def test_region_b_lies_in_the_leading_components(data):
    y = np.concatenate([data.bold[s] for s in data.train])
    axes = PCA(N_COMPONENTS, random_state=0).fit(y).components_
    signal_b = np.linalg.svd(y[:, data.region == "B"], full_matrices=False)[2][:6]
    captured = (signal_b @ axes[:, data.region == "B"].T) ** 2
    assert captured.sum(axis=1).min() > 0.8


def share_found(data, name, **options):
    """Share of the recurrences of which a row is matched to the earlier telling, by kind."""
    found = {kind: [] for kind in RECURRENCES}
    matcher = matchers()[name]
    options = {**OPTIONS, **matcher.OPTIONS, **options}
    matches = {
        s: matcher.match(story, data.newest(s), np.random.default_rng(0), options).match_row
        for s, story in data.stories.items()
    }
    for event in data.events[data.events.kind.isin(RECURRENCES)].itertuples():
        rows = np.arange(event.row_first, event.row_last + 1)
        true = rows - event.row_first + event.earlier_row_first
        found[event.kind].append((abs(matches[event.story][rows] - true) <= 1).any())
    return {kind: np.mean(values) for kind, values in found.items()}


def test_ngram_finds_verbatim_recurrences_and_not_paraphrases(data):
    found = share_found(data, "ngram")
    assert found["verbatim"] >= 0.9
    assert found["paraphrase"] <= 0.1


def test_gim_finds_more_verbatim_recurrences_the_more_moments_it_may_match(data):
    """Tellings rarely fall on the TR grid alike: states at the ends of TRs miss most of them."""
    chance = share_found(data, "random")
    rows, words = (share_found(data, "gim", candidates=c) for c in ("rows", "words"))
    assert words["verbatim"] >= 0.75
    assert words["verbatim"] > rows["verbatim"] + 0.2
    assert rows["verbatim"] > chance["verbatim"] + 0.1
    # What comes next after a paraphrase is no more alike than after anything else.
    assert abs(words["paraphrase"] - chance["paraphrase"]) < 0.15
