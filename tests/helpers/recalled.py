"""A memory of made-up stories, searched by a small encoder, for tests."""

import numpy as np
import pandas as pd

from pipeline.bands.compute import stimulus_features
from pipeline.bands.registry import BandOptions, known_kinds
from pipeline.dataset.dataset import Dataset
from pipeline.embedding.eng1000 import Eng1000
from pipeline.recall.contexts import write_contexts
from pipeline.recall.features import recalled_features
from pipeline.recall.recall import recall
from tests.helpers.responses import write_responses
from tests.helpers.stories import random_story

TEST = ["test"]
N_ROWS = 40


def options_of(kind, **own):
    """Options of a band of a kind, complete."""
    given = {**known_kinds()[kind].options, **own}
    n_components = given.pop("n_components", None)
    return BandOptions(kind, n_components, given)


class Remembering:
    """Stories on disk, and bands made from a memory of them by the real stages."""

    def __init__(self, root, language, folds=None, texts=None, **own):
        self.root = root
        self.folds = folds or {f"s{i}": i % 3 for i in range(6)}
        self.stories = [*self.folds, *TEST]
        self.dataset = Dataset(root, {})
        write_responses(root, dict.fromkeys(self.stories, N_ROWS), n_voxels=4)
        self.options = options_of("passages", **{"encoder": language["gim"]["encoder"]} | own)
        rng = np.random.default_rng(0)
        made = {s: random_story(rng, N_ROWS, vocabulary=30, name=s).words for s in self.stories}
        for story, words in (texts or {}).items():
            made[story] = made[story].assign(word=words)
        self.words = pd.concat([w.assign(story=s) for s, w in made.items()], ignore_index=True)
        vocabulary = sorted(set(self.words["word"]))
        vectors = rng.standard_normal((5, len(vocabulary))).astype(np.float32)
        Eng1000(vectors, vocabulary, list("abcde")).save(root / "eng.hf5")
        self.eng1000 = Eng1000.load(root / "eng.hf5")

    def path(self, name):
        return self.root / f"{name}.h5"

    def make(self):
        """Contexts, then what rows recall."""
        self.words.to_parquet(self.root / "words.parquet")
        write_contexts(
            self.dataset, self.root / "words.parquet", stories=self.stories, options=self.options,
            seed=0, output=self.path("contexts"),
        )  # fmt: skip
        return self.search()

    def search(self):
        recall(
            self.path("contexts"), folds=self.folds, test=TEST, options=self.options, blocks={},
            seed=0, output=self.path("recall"), evidence=self.root / "passages.parquet",
        )  # fmt: skip
        return self

    def band(self, kind, **own):
        """Path of a band's features, and its options."""
        options = self.options if kind == "passages" else options_of(kind, of="passages", **own)
        own = {**options.own, "eng1000": str(self.root / "eng.hf5")}
        options = BandOptions(options.kind, options.n_components, own)
        return self.write(self.path(f"{kind}{len(own)}"), options), options

    def through(self, other):
        """Path of a band in which the rows of another, in a file, stand for passages; options."""
        options = options_of("through", of="passages", band=other.stem)
        return self.write(self.path(f"through_{other.stem}"), options, other), options

    def write(self, path, options, through=None):
        n_rows = dict.fromkeys(self.stories, N_ROWS)
        recalled_features(
            self.path("recall"), n_rows=n_rows, options=options, output=path, through=through
        )
        return path

    def heard(self):
        """Path of a band of the stimulus, with names for its columns."""
        path = self.path("heard")
        options = options_of("eng1000", eng1000=str(self.root / "eng.hf5"))
        stimulus_features(
            self.dataset, self.root / "words.parquet", stories=self.stories, options=options,
            output=path,
        )  # fmt: skip
        return path
