"""A simulated subject in memory, of whom it is known what each voxel's weights should be."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.bands.registry import BandOptions
from pipeline.core.random import generator
from pipeline.core.series import zscore
from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import Eng1000
from pipeline.fit.cross_validation import BlockFit, fit_block, make_solver
from pipeline.fit.design import Design, make_band
from pipeline.fit.options import training_folds
from pipeline.fit.regression import Regression
from pipeline.simulation import bold, lexicon
from pipeline.simulation.settings import Settings
from pipeline.simulation.story import tell
from pipeline.tuning.meaning import feature_weights

SETTINGS = Settings(n_train=6, n_test=1, rows=(150, 200))
DELAYS = (1, 2, 3, 4)
N_BASIS = 60
N_VOXELS = {"A": 40, "D": 40}
OPTIONS = BandOptions("eng1000", 12, {"downsample": "lanczos"})


@dataclass
class Planted:
    """Region A follows the words' meaning, D nothing."""

    seed: int

    def __post_init__(self):
        names = [f"train{i:02}" for i in range(1, SETTINGS.n_train + 1)]
        self.stories = [tell(n, generator(self.seed, "story", n), SETTINGS) for n in names]
        rng = generator(self.seed, "eng1000")
        self.vectors = lexicon.embedding(rng, SETTINGS.semantic_rank, N_BASIS)
        meanings = bold.word_meanings(self.vectors, SETTINGS, self.seed)
        self.latents = {
            s.name: bold.latents(s, meanings, SETTINGS, self.seed) for s in self.stories
        }
        self.regions = np.repeat(list(N_VOXELS), list(N_VOXELS.values()))
        self.subject = bold.Subject("S", self.regions, self.latents, SETTINGS, self.seed)

    @cached_property
    def words(self):
        """Words of all stories."""
        rows = [(s.name, word, a, b) for s in self.stories for a, b, word in s.words]
        return pd.DataFrame(rows, columns=["story", "word", "onset", "offset"])

    @cached_property
    def features(self):
        """Eng1000 on the TR grid."""
        space, found = Eng1000(self.vectors, lexicon.vocabulary()), {}
        for told in self.stories:
            own = self.words[self.words["story"] == told.name].reset_index(drop=True)
            story = Story(told.name, own, told.grid)
            found[told.name] = story.to_rows(space.vectors(own["word"]), "lanczos")
        return {name: values.astype(np.float64) for name, values in found.items()}

    @cached_property
    def band(self):
        return make_band("eng1000", self.features, OPTIONS, DELAYS, [s.name for s in self.stories])

    def responses(self, noise: float = 1.0) -> dict[str, np.ndarray]:
        """The meaning's responses, with noise of that standard deviation in A and in D."""
        rng, responses = np.random.default_rng(self.seed), {}
        for name, latent in self.latents.items():
            values = noise * rng.standard_normal((len(latent.meaning), len(self.regions)))
            values[:, self.regions == "A"] += latent.meaning @ self.subject.to_a
            responses[name] = zscore(values).astype(np.float32)
        return responses

    @cached_property
    def folds(self) -> dict[str, int]:
        """Fold of each story."""
        n_rows = {story.name: story.grid.n_rows for story in self.stories}
        return training_folds(list(n_rows), n_rows, 3, seed=0)

    def fit(self, noise: float = 1.0) -> BlockFit:
        """Fit the responses with so much noise."""
        responses, design = self.responses(noise), Design((self.band,))
        regression = Regression(design, responses, self.folds, np.logspace(-4, 4, 9))
        return fit_block(regression, make_solver("gram", regression))

    def weights(self, fit: BlockFit) -> np.ndarray:
        """Weights by delay, (n_delays, n_columns, n_voxels)."""
        factors = np.repeat(self.band.weights, self.band.n_columns // len(DELAYS))
        own = fit.final.weights * factors[:, None]
        return own.reshape(len(DELAYS), -1, own.shape[1])

    def recovered(self, fit: BlockFit) -> np.ndarray:
        """Weights of the basis words, (n_basis, n_voxels)."""
        return feature_weights(self.weights(fit), self.band.preparation)

    @cached_property
    def planted(self) -> np.ndarray:
        """The same as they were planted in A, response per unit of each basis word."""
        weights = generator(self.seed, "meaning").standard_normal((N_BASIS, SETTINGS.rank_a))
        sd = (self.vectors.T.astype(float) @ weights).std(axis=0)
        return (weights / sd) @ self.subject.to_a


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each column."""
    return (a * b).sum(axis=0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)
