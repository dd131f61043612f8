"""Ways to copy responses, on real BOLD and above the controls; every choice nested.

    python -m benchmarks.variants [--subjects UTS01 UTS03] [--variants memory contrast ...]

Needs features and matches made by `snakemake features --configfile config/realdata.yaml`. Stands on
eng1000 (100 components), wordrate, position and drift at horizon 2. For every fold the features are
made, the alphas chosen and the model fitted without it; r is out of fold, and on the test stories,
which choose nothing. Intervals are 95 %, paired by story. The named alternative of every variant is
the model that lacks it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import execute, need, write
from benchmarks.memory import (
    LAGS,
    TEST,
    Memory,
    Rows,
    WordModel,
    after_matches,
    design_rows,
    own_residuals,
    training_folds_of,
)
from benchmarks.real_fit import load_bands
from pipeline.bands.registry import BandOptions
from pipeline.config.load import load
from pipeline.config.stories import test_stories, training_stories
from pipeline.core.interval import story_mean
from pipeline.core.series import pearson, top_voxels
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_story
from pipeline.features.encoder import load_encoder, word_vectors
from pipeline.features.eng1000 import load_eng1000
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Band, Design, make_band
from pipeline.fit.grams import DesignGrams, gram_of
from pipeline.fit.options import Alphas, training_folds
from pipeline.fit.regression import Regression
from pipeline.matching.matches import load_matches

WORDS = ("eng1000", "wordrate", "position")
BASE = (*WORDS, "drift")
OFFSETS = (1, 2, 3)
TOPIC = 10  # words whose mean Eng1000 vector is a row's topic
Values = dict[str, np.ndarray]


@dataclass
class Subject:
    """Data of one subject."""

    name: str
    config: dict[str, Any]
    folds: dict[str, int]
    rows: Rows
    y: np.ndarray
    base: dict[str, Band]
    model: WordModel
    grams: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    @property
    def train(self) -> list[str]:
        """The training stories."""
        return list(self.folds)

    @property
    def command(self) -> str:
        """What makes the files that are read."""
        return f"snakemake features --configfile config/{self.config['name']}.yaml"

    def matches(self, band: str) -> Any:
        """Matches of a band, by story."""
        folder = f"results/{self.config['name']}/sub-{self.name}"
        name = f"sub-{self.name}_desc-{band}_matches.parquet"
        return load_matches(need(f"{folder}/{name}", self.command))

    def words(self) -> dict[str, Any]:
        """The stories."""
        dataset = Dataset.from_config(self.config)
        path = f"results/{self.config['name']}/words.parquet"
        table = pd.read_parquet(need(path, self.command))
        return {story: read_story(dataset, table, story) for story in self.rows.n_rows}


def read_subject(config: dict[str, Any], name: str) -> Subject:
    """Read responses and base bands."""
    dataset = Dataset.from_config(config)
    train, test = training_stories(config, name), test_stories(config, name)
    n_rows = {story: dataset.grid(story).n_rows for story in [*train, *test]}
    folds = training_folds(train, n_rows, config["fit"]["n_folds"], config["seeds"]["folds"])
    fold = [np.full(n, folds.get(story, TEST)) for story, n in n_rows.items()]
    rows = Rows(n_rows, np.concatenate(fold))
    y = np.concatenate([dataset.read_responses(name, story) for story in n_rows])
    bands = load_bands(config, name, list(BASE), train, test, eng1000={"n_components": 100})
    base = {band.name: band for band in bands}
    x = design_rows(rows, Design(tuple(base[b] for b in WORDS)))
    model = WordModel(rows, x, y.astype(np.float64), Alphas(**config["fit"]["alphas"]).values())
    subject = Subject(name, config, folds, rows, y, base, model)
    pairs = combinations_with_replacement(bands, 2)
    subject.grams = {(a.name, b.name): gram_of(a, b, folds) for a, b in pairs}
    return subject


# A variant gives the bands that it adds for the fold left out: values by story, and FIR delays.
Made = list[tuple[str, Values, Sequence[int]]]
Variant = Callable[[int | None], Made]


def evaluate(subject: Subject, variant: Variant, without: Sequence[str] = ()) -> np.ndarray:
    """Out-of-fold r of each training story, then r of the test stories, (n_stories, n_voxels)."""
    r = {}
    for f in [*subject.rows.folds, None]:
        train = [s for s in subject.train if subject.folds[s] != f]
        kept = [k for k in subject.rows.folds if k != f]
        folds = {s: kept.index(subject.folds[s]) for s in train}
        base = [band for name, band in subject.base.items() if name not in without]
        made = [_band(*parts, train) for parts in variant(f)]
        grams = {pair: gram[kept] for pair, gram in subject.grams.items()}
        for i, band in enumerate(made):
            grams |= {(a.name, band.name): gram_of(a, band, folds) for a in [*base, *made[: i + 1]]}
        y = subject.rows.split(subject.y)
        design = Design((*base, *made))
        regression = Regression(design, {s: y[s] for s in train}, folds, subject.model.alphas)
        ridge = make_solver("gram", regression, grams=DesignGrams(grams)).fit(None)
        for story in y:
            if (f is None) == (story not in subject.folds) and subject.folds.get(story, f) == f:
                r[story] = pearson(ridge.predict(design.rows(story)), y[story])
    return np.stack([r[story] for story in subject.rows.n_rows])


def _band(name: str, values: Values, delays: Sequence[int], train: list[str]) -> Band:
    """A band scaled by the stories that are fitted."""
    band = make_band(name, values, BandOptions("drift"), (), train)
    unit = band.weights[0] / np.sqrt(len(delays))
    return Band(name, band.values, tuple(delays), (unit,) * len(delays))


def copied(subject: Subject, band: str, residual: bool = False) -> Callable[[int | None], Values]:
    """Changes after the matches of a band, of responses or of residuals."""
    matches = subject.matches(band)

    def make(f: int | None) -> Values:
        values = own_residuals(subject.rows, subject.model, f) if residual else subject.y
        return after_matches(subject.rows, matches, values, OFFSETS)

    return make


def others(subject: Subject, other: Subject, band: str) -> Callable[[int | None], Values]:
    """Changes of another subject's residuals after the matches of a band (zero: unheard)."""
    matches = subject.matches(band)

    def make(f: int | None) -> Values:
        theirs = other.rows.split(own_residuals(other.rows, other.model, f))
        values = [
            theirs.get(story, np.zeros((n, subject.y.shape[1])))
            for story, n in subject.rows.n_rows.items()
        ]
        return after_matches(subject.rows, matches, np.concatenate(values), OFFSETS)

    return make


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; zero rows stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def states(subject: Subject, kind: str) -> np.ndarray:
    """State of every row, (n, dim): the encoder's, or the topic of the last words."""
    encoder, found = load_encoder(None), []
    for story in subject.words().values():
        state = story.grid.states(story.words["onset"].to_numpy())
        if kind == "encoder":
            vectors = word_vectors(story, encoder)
        else:
            path = f"results/{subject.config['name']}/english1000.hf5"
            vectors = load_eng1000(need(path, subject.command)).vectors(story.words["word"])
            sums = np.cumsum(np.vstack([np.zeros(vectors.shape[1]), vectors]), axis=0)
            ends = np.arange(1, len(sums))
            vectors = sums[ends] - sums[np.maximum(ends - TOPIC, 0)]
        found.append(np.where(state[:, None] >= 0, vectors[state], np.nan))
    rows = np.concatenate(found)
    rows -= np.nanmean(rows, axis=0)  # what all have in common tells none apart
    return unit(np.nan_to_num(rows))


def memories(subject: Subject, kind: str, residual: bool) -> Callable[[int | None], Values]:
    """Responses of other training stories at similar states."""
    if kind == "predicted":  # by the word model: contexts are alike if the response should be

        def make_predicted(f: int | None) -> Values:
            predicted = subject.model.predict(training_folds_of(f), subject.model.alpha(f))
            memory = Memory(subject.rows, unit(predicted), (0,))
            return subject.rows.split(memory.copy(f, subject.model, residual))

        return make_predicted
    memory = Memory(subject.rows, states(subject, kind), LAGS)
    return lambda f: subject.rows.split(memory.copy(f, subject.model, residual))


def variants(subject: Subject, other: Subject) -> dict[str, tuple[str, Callable[[], Variant]]]:
    """Each variant: the one it stands on, and its bands."""

    def bands(*made: tuple[Callable[[int | None], Values], Sequence[int]]) -> Variant:
        return lambda f: [(f"added{i}", make(f), delays) for i, (make, delays) in enumerate(made)]

    fir, none = (1, 2, 3, 4), (0,)
    gim, gimlag = copied(subject, "gim"), copied(subject, "gimlag")

    def contrast(f: int | None) -> Values:
        a, b = gim(f), gimlag(f)
        return {story: a[story] - b[story] for story in a}

    def of(name: str, residual: bool = False) -> Variant:
        """A matcher above its lag control."""
        lag = copied(subject, f"{name}lag", residual)
        return bands((lag, fir), (copied(subject, name, residual), fir))

    def alone(name: str, residual: bool = False) -> Variant:
        return bands((copied(subject, name, residual), fir))

    def alone_of_other(name: str) -> Variant:
        return bands((others(subject, other, name), fir))

    def of_other(name: str) -> Variant:
        lag = others(subject, other, f"{name}lag")
        return bands((lag, fir), (others(subject, other, name), fir))

    found: dict[str, tuple[str, Callable[[], Variant]]] = {
        "base": ("", bands),
        "contrast": ("base", lambda: bands((contrast, fir))),
    }
    for name in ("gim", "gimsoft"):
        lag = f"{name}lag"
        found |= {
            lag: ("base", partial(alone, lag)),
            name: (lag, partial(of, name)),
            f"residual{lag}": ("base", partial(alone, lag, True)),
            f"residual{name}": (f"residual{lag}", partial(of, name, True)),
            f"other{lag}": ("base", partial(alone_of_other, lag)),
            f"other{name}": (f"other{lag}", partial(of_other, name)),
        }
    for kind in ("encoder", "topic", "predicted"):
        for what, residual in (("memory", False), ("memoryresidual", True)):
            make = partial(lambda k, r: bands((memories(subject, k, r), none)), kind, residual)
            found[f"{what}{kind}"] = ("base", make)
    return found


def compare(subject: Subject, r: np.ndarray, below: np.ndarray, best: np.ndarray) -> dict[str, Any]:
    """Gain over the alternative, out of fold and on the test stories."""
    n = len(subject.train)
    by_story = np.nanmean(r[:n] - below[:n], axis=1)
    by_story_best = np.nanmean((r[:n] - below[:n])[:, best], axis=1)
    return {
        "r": float(np.nanmean(r[:n])),
        "r_test": float(np.nanmean(r[n:])),
        "gain": story_mean(by_story).interval,
        "gain_top10": story_mean(by_story_best).interval,
        "gain_test": float(np.nanmean(r[n:] - below[n:])),
    }


def main() -> None:
    """Evaluate the variants of every subject."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="config/realdata.yaml")
    parser.add_argument("--subjects", nargs="+", default=["UTS01", "UTS03"])
    parser.add_argument("--variants", nargs="+", default=None)
    arguments = parser.parse_args()
    config = load(arguments.config)
    subjects = {name: read_subject(config, name) for name in arguments.subjects}
    table: dict[str, Any] = {}
    for name, subject in subjects.items():
        other = next((s for n, s in subjects.items() if n != name), subject)
        known = variants(subject, other)
        r: dict[str, np.ndarray] = {}
        for variant in known:
            if arguments.variants and variant not in {"base", *arguments.variants}:
                continue
            started = time.process_time()
            over, make = known[variant]
            r[variant] = evaluate(subject, make())
            best = top_voxels(r["base"][: len(subject.train)].mean(axis=0))
            below = r[over] if over in r else r["base"]
            row = {"over": over} | compare(subject, r[variant], below, best)
            row["seconds"] = time.process_time() - started
            table.setdefault(name, {})[variant] = row
            print(name, variant, row, flush=True)
    write(
        "variants",
        "out-of-fold r and test r of ways to copy responses, horizon 2, every choice nested",
        "of each variant: the model `over`, which lacks it",
        base=[*BASE],
        components=100,
        folds=config["fit"]["n_folds"],
        table=table,
    )


if __name__ == "__main__":
    execute(main)
