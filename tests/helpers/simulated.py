"""A simulated subject in memory: stories, BOLD, and a quick ridge regression on bands of it."""

from functools import cached_property

import h5py
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from pipeline.core.series import delay, zscore
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, downsample
from pipeline.matchers import oracle
from pipeline.matching.matches import Matching, induction_features, newest_match
from pipeline.readers.textgrid import read_textgrid
from pipeline.simulation.settings import Settings, story_names

SUBJECT = "sub01"
SMALL = Settings(n_train=6, rows=(150, 200), n_voxels=300, n_repeats=3)
N_COMPONENTS = 25


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
            s: Story(s, read_textgrid(dataset.transcript(s)), dataset.grid(s)) for s in names
        }
        self.bold = {s: dataset.read_responses(SUBJECT, s).astype(float) for s in names}
        with h5py.File(dataset.eng1000) as file:
            vocab = [word.decode() for word in file["vocab"]]
            self.vectors = pd.DataFrame(file["data"][:].T, index=vocab)

    @cached_property
    def scores(self):
        """Principal components fitted on the training stories."""
        pca = PCA(N_COMPONENTS, random_state=0).fit(
            np.concatenate([self.bold[s] for s in self.train])
        )
        return {s: pca.transform(y) for s, y in self.bold.items()}

    def newest(self, story):
        return newest_match(self.stories[story].grid.n_rows, Matching(horizon=2))

    def oracle(self):
        return {s: oracle.match(self.stories[s], self.newest(s), None, {"truth": self.truth})
                for s in self.stories}  # fmt: skip

    @cached_property
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
        scores = self.scores
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
