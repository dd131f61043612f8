"""What `benchmarks.replication` fits, and what to: columns, matches and targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import published
from benchmarks.pseudo_voxels import PseudoVoxels
from pipeline.bands.compute import band_features, story_matches
from pipeline.bands.registry import BandOptions, band_options, kind_of
from pipeline.core.atomic import write_text
from pipeline.core.random import generator
from pipeline.core.series import zscore
from pipeline.dataset.basis import fit_basis
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import build
from pipeline.features.encoder import load_encoder
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Band, Design, make_band
from pipeline.fit.options import Alphas, training_folds
from pipeline.fit.regression import Regression
from pipeline.matchers.lag import redraw
from pipeline.matching.matches import Matches, fir_of_matches, keep_best, newest_match

FOLDER = Path("results/published/replication")
TEST = "wheretheressmoke"
COPYING = ("gim", "lag", "random", "noise")
DRAW = "-"  # what parts a model from the number of its draw
N_COMPONENTS = 100  # of BOLD, that are copied; of copied columns, in the workflow's fits
N_WORD_COMPONENTS = 300  # of Eng1000
N_VOXELS, N_PRESENTATIONS, WANTED_R = 200, 5, 0.07
Values = dict[str, np.ndarray]


def story_of(name: str) -> str:
    """The story of `STORY@PRESENTATIONS`."""
    return name.split("@")[0]


def draw_of(model: str) -> tuple[str, int]:
    """What a model copies after, and which draw of it: ("random", 3) of `random-3`."""
    base, _, draw = model.partition(DRAW)
    return base, int(draw or 0)


@dataclass(frozen=True)
class Made(Dataset):
    """A dataset whose responses were made here."""

    bold: Mapping[str, np.ndarray] = field(default_factory=dict)

    def n_voxels(self, subject: str, story: str) -> int:
        """Voxels that were made."""
        return self.bold[story].shape[1]

    def read_responses(self, subject: str, story: str, voxels: slice = slice(None)) -> np.ndarray:
        """Responses that were made, (n_rows, n_voxels), float32."""
        return self.bold[story][:, voxels]


@dataclass(frozen=True)
class Subject:
    """What all rungs of a subject and its targets share.

    Parameters
    ----------
    name, targets : str
        The subject; "components" or "pseudo".
    config : dict
        Complete configuration of the published stories.
    train, others : lists of str
        Stories that train, and that test beside `TEST`.
    n_bootstraps, seed : int
        Of the published fit; and of all that is drawn.
    """

    name: str
    targets: str
    config: dict[str, Any]
    train: list[str]
    others: list[str]
    n_bootstraps: int
    seed: int

    @cached_property
    def dataset(self) -> Dataset:
        """Components, as they are given."""
        return Dataset.from_config(self.config)

    @cached_property
    def stories(self) -> dict[str, Story]:
        """All stories."""
        names = [*self.train, TEST, *self.others]
        data = self.dataset
        return {s: Story(s, data.read_words(s), data.grid(s)) for s in names}

    @property
    def tests(self) -> list[str]:
        """Test stories as they are scored: `STORY@PRESENTATIONS`."""
        kinds = ["given"] if self.targets == "components" else ["mean", "once"]
        return [f"{story}@{kind}" for story in [TEST, *self.others] for kind in kinds]

    @property
    def names(self) -> list[str]:
        """Training stories, then `tests`."""
        return [*self.train, *self.tests]

    @cached_property
    def bold(self) -> Values:
        """BOLD of all `names`, z-scored, float32."""
        given = {s: self.dataset.read_responses(self.name, s) for s in self.stories}
        if self.targets == "components":
            made = {name: zscore(given[story_of(name)]) for name in self.names}
        else:
            voxels = self.voxels(given)
            made = {
                name: voxels.bold(
                    given[story_of(name)],
                    story_of(name),
                    N_PRESENTATIONS if name.endswith("@mean") else 1,
                )
                for name in self.names
            }
        return {name: y.astype(np.float32) for name, y in made.items()}

    def voxels(self, given: Values) -> PseudoVoxels:
        """Pseudo-voxels that Eng1000 predicts as well as it did the published ones."""
        train = [given[s] for s in self.train]
        voxels = PseudoVoxels.make(train, N_VOXELS, self.seed)
        known = FOLDER / f"{self.name}_noise.txt"
        if known.exists():
            return replace(voxels, noise=float(known.read_text()))
        words = self.words("eng1000")
        band = self.band("eng1000", {s: words[s] for s in self.train})

        def r(tried: PseudoVoxels) -> float:
            bold = {s: tried.bold(given[s], s).astype(np.float32) for s in self.train}
            regression = self.regression(Design((band,)), bold)
            return float(make_solver("gram", regression).fit(None).score.mean())

        found = voxels.calibrated(r, WANTED_R)
        print(f"noise {found.noise:.2f}, phi {found.phi:.2f}: r {r(found):.4f} by CV", flush=True)
        write_text(known, f"{found.noise}\n")
        return found

    def words(self, band: str) -> Values:
        """Features of the stimulus, of all stories."""
        options = dict(self.options(band).own)
        if "eng1000" in kind_of(band).resources:
            options["eng1000"] = self.embedding()
        return {s: kind_of(band).compute(story, options) for s, story in self.stories.items()}

    def embedding(self) -> Path:
        """Eng1000 for the words of all stories, built from the corpora if it is not there."""
        path = FOLDER / "english1000.hf5"
        if not path.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            given = self.config["eng1000"]
            words = np.unique(np.concatenate([s.words["word"] for s in self.stories.values()]))
            build(
                given["corpora"],
                words,
                basis_words=given["basis_words"],
                vocabulary=given["vocabulary"],
                window=given["window"],
            ).save(path)
        return path

    @cached_property
    def eng1000(self) -> Values:
        """All columns of Eng1000, z-scored within each story; float32."""
        return {s: zscore(v).astype(np.float32) for s, v in self.words("eng1000").items()}

    @cached_property
    def components(self) -> Values:
        """Principal components of these columns, over the training stories; float32."""
        z = self.eng1000
        gram = sum(z[s].T @ z[s] for s in self.train)
        axes = np.linalg.eigh(gram)[1][:, ::-1][:, :N_WORD_COMPONENTS]
        return {s: v @ axes for s, v in z.items()}

    @property
    def delays(self) -> list[int]:
        """FIR delays of word features, TRs."""
        return self.config["delays"]

    @property
    def fir(self) -> tuple[list[int], list[float]]:
        """Delays of copied columns, and how much each weighs."""
        return fir_of_matches(self.options("gim").matching)

    def scores(self, basis: str) -> Values:
        """Components of the targets, of all `names`."""
        if basis == "story":
            return {
                n: published.story_components(y, N_COMPONENTS).astype(np.float32)
                for n, y in self.bold.items()
            }
        own = {f.name: getattr(self.dataset, f.name) for f in fields(Dataset)}
        made = Made(**own, bold=self.bold)
        fitted = fit_basis(made, self.name, self.train, N_COMPONENTS)
        return {n: fitted.scores(y) for n, y in self.bold.items()}

    def options(self, band: str) -> BandOptions:
        """Options of a band of the configuration."""
        return band_options(self.config, band)

    def matches(self, model: str) -> dict[str, Matches]:
        """Causal matches of all stories: of gim, of its lag control, at random."""
        if model == "lag":
            newest = {
                s: newest_match(story.grid.n_rows, self.options("gim").matching)
                for s, story in self.stories.items()
            }
            return redraw(self.matches("gim"), newest, self.train, self.seed, self.name, 1, 10)
        return self._gim_matches if model == "gim" else self._matches(model)

    @cached_property
    def _gim_matches(self) -> dict[str, Matches]:
        """Of gim."""
        return self._matches("gim")

    def _matches(self, model: str) -> dict[str, Matches]:
        """Of a matcher that is no lag control."""
        base, draw = draw_of(model)
        options = self.options(base)
        found = {
            s: story_matches(story, self.name, base, options, self.seed + draw)
            for s, story in self.stories.items()
        }
        fraction = options.matching.best_fraction
        return keep_best(found, self.train, fraction) if fraction else found

    def published_volumes(self, model: str) -> dict[str, np.ndarray]:
        """Matched volumes of all stories by the published steps; `lag` redraws them."""
        base, draw = draw_of(model)
        if base == "random":
            return {
                s: published.random_volumes(story, generator(self.seed + draw, self.name, s))
                for s, story in self.stories.items()
            }
        found = self._published_volumes
        if model == "gim":
            return found
        hard = {s: Matches.hard(m, np.ones(len(m))) for s, m in found.items()}
        newest = {s: np.arange(len(m)) - 1 for s, m in found.items()}
        drawn = redraw(hard, newest, self.train, self.seed, self.name, 1, 10)
        return {s: m.match_row for s, m in drawn.items()}

    @cached_property
    def _published_volumes(self) -> dict[str, np.ndarray]:
        """Of gim."""
        encoder = load_encoder(None)
        return {
            s: published.matched_volumes(story, published.word_states(story, encoder))
            for s, story in self.stories.items()
        }

    def copied(self, model: str, as_published: bool, basis: str) -> Values:
        """Columns copied after matches, or as many of noise, unscaled, of all `names`.

        Parameters
        ----------
        model : str
            One of `COPYING`, or another draw of `random`.
        as_published : bool
            Whether matches are those of the published steps.
        basis : {"story", "training"}
            Stories that the components are fitted on: each by itself, or the training stories.
        """
        if model == "noise":
            return {n: self._noise(n) for n in self.names}
        scores = self.scores(basis)
        if as_published:
            volumes = self.published_volumes(model)
            return {
                n: published.copied(z, self.stories[story_of(n)].grid, volumes[story_of(n)])
                for n, z in scores.items()
            }
        matched, options = self.matches(model), self.options("gim")
        return {n: band_features(options, z, matched[story_of(n)]) for n, z in scores.items()}

    def _noise(self, name: str) -> np.ndarray:
        """White noise, (n_rows, 300); the same for all presentations."""
        n_columns = len(published.OFFSETS) * N_COMPONENTS
        rng = generator(self.seed, self.name, "noise", story_of(name))
        return rng.standard_normal((len(self.bold[name]), n_columns))

    def band(self, band: str, values: Values) -> Band:
        """A band of the workflow, made here; `noise` is scaled and delayed as gim is."""
        base = draw_of(band)[0]
        given = self.options("gim" if base in COPYING else base).as_mapping()
        sizes = dict.fromkeys(COPYING, N_COMPONENTS) | {"eng1000": N_WORD_COMPONENTS}
        options = BandOptions.read({**given, "n_components": sizes.get(base)})
        return make_band(band, values, options, self.delays, self.train)

    def word_band(self, band: str) -> Band:
        """A band of words, or of drift, of all `names`."""
        if self.options(band).source == "responses":
            scores = self.scores("training")
            values = {n: band_features(self.options(band), z, None) for n, z in scores.items()}
        else:
            words = self.words(band)
            values = {n: words[story_of(n)] for n in self.names}
        return self.band(band, values)

    def regression(self, design: Design, bold: Values) -> Regression:
        """A design's regression over folds of whole training stories."""
        n_rows = {s: len(bold[s]) for s in self.train}
        fit = self.config["fit"]
        return Regression(
            design,
            {s: bold[s] for s in self.train},
            training_folds(self.train, n_rows, fit["n_folds"], self.config["seeds"]["folds"]),
            Alphas(**fit["alphas"]).values(),
        )
