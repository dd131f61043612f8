"""What each model finds in a simulated subject is what the truth says it can find.

Through the real stages, by out-of-fold r on the training stories in each true region. A follows the
meaning of words, B the events of a story, C its own past, D nothing.
"""

from functools import cache

import h5py
import numpy as np
import pytest

from pipeline.bands.compute import (
    find_matches,
    match_features,
    response_features,
    stimulus_features,
)
from pipeline.bands.registry import BandOptions, band_options
from pipeline.config.load import complete
from pipeline.dataset.basis import response_basis
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories
from pipeline.fit.design import Design, load_band
from pipeline.fit.options import FitOptions
from pipeline.fit.run import fit_model
from pipeline.regions.labels import read_truth
from pipeline.simulation.settings import Settings, story_names
from pipeline.simulation.simulate import simulate

SIZE = {"n_train": 8, "n_test": 1, "rows": [150, 170], "n_voxels": 300}
MODELS = {
    "eng1000": ["eng1000"],
    "drift": ["eng1000", "drift"],
    "ar": ["eng1000", "ar"],
    "oracle": ["eng1000", "drift", "oracle"],
    "oraclelag": ["eng1000", "drift", "oraclelag"],
    "ngram": ["eng1000", "drift", "ngram"],
    "ngramlag": ["eng1000", "drift", "ngramlag"],
    "random": ["eng1000", "drift", "random"],
}


class Subject:
    """A simulated subject, its features made once, its models fitted when asked for."""

    def __init__(self, root, null):
        settings = Settings.from_config({**SIZE, "null": null})
        simulate(root, ["S1"], settings, seed=0)
        train, test = story_names(settings)
        bands = dict.fromkeys(band for model in MODELS.values() for band in model)
        self.root = root
        self.config = complete(
            {
                "name": "simulated",
                "data_root": str(root),
                "simulate": {},
                "subjects": {"S1": {}},
                "stories": {"train": train, "test": test},
                "features": {b: {"n_components": 40} if b == "eng1000" else {} for b in bands},
                "models": MODELS,
                "response_components": 20,
                "fit": {"n_folds": 4, "alphas": {"min": -2, "max": 5, "n": 8}},
            }
        )
        self.dataset = Dataset.from_config(self.config)
        self.train, self.test = train, test
        self.stories = [*train, *test]
        self.words = root / "words.parquet"
        read_stories(self.dataset, self.stories).to_parquet(self.words)
        self.basis = root / "basis.h5"
        response_basis(
            self.dataset, "S1", train=train, test=test, n_components=20, output=self.basis
        )
        self.regions = read_truth(root / "truth", "S1")
        self.r = cache(self._r)

    def matches(self, band):
        """Path of the band's matches, made when first asked for."""
        path = self.root / f"{band}.parquet"
        if not path.exists():
            options = self.options(band)
            redrawn = self.matches(options.redraws) if options.kind == "lag" else None
            find_matches(
                self.dataset,
                self.words,
                stories=self.stories,
                train=self.train,
                subject="S1",
                band=band,
                options=options,
                seed=0,
                redrawn=redrawn,
                output=path,
            )
        return path

    def options(self, band):
        resources = {"eng1000": str(self.dataset.eng1000), "truth": str(self.dataset.truth)}
        return BandOptions.read(band_options(self.config, band).as_mapping() | resources)

    def band(self, name):
        path, options = self.root / f"{name}.h5", self.options(name)
        source = options.source
        if source == "stimulus":
            stimulus_features(
                self.dataset, self.words, stories=self.stories, options=options, output=path
            )
        elif source == "responses":
            response_features(self.basis, stories=self.stories, options=options, output=path)
        else:
            match_features(
                self.matches(name), self.basis, stories=self.stories, options=options, output=path
            )
        return load_band(
            name,
            path,
            options=options,
            delays=self.config["delays"],
            train=self.train,
            test=self.test,
        )

    def _r(self, model):
        """Mean out-of-fold r of a model in each true region."""
        design = Design(tuple(self.band(band) for band in MODELS[model]))
        path = self.root / "fit.h5"
        fit_model(
            self.dataset,
            "S1",
            design=design,
            train=self.train,
            test=self.test,
            options=FitOptions.read(self.config["fit"], self.config["seeds"], None),
            attributes={},
            output=path,
        )
        with h5py.File(path) as file:
            r = file["r_cv"][:]
        return {region: float(r[self.regions == region].mean()) for region in "ABCD"}

    def gain(self, model, control):
        """Gain in r over a control, by region."""
        return {region: self.r(model)[region] - self.r(control)[region] for region in "ABCD"}


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return Subject(tmp_path_factory.mktemp("subject"), null=False)


@pytest.fixture(scope="module")
def null_subject(tmp_path_factory):
    return Subject(tmp_path_factory.mktemp("null"), null=True)


def test_eng1000_gains_in_a_only(subject):
    r = subject.r("eng1000")
    assert r["A"] > 0.5
    assert all(abs(r[region]) < 0.1 for region in "BCD")


@pytest.mark.parametrize("control", ["oraclelag", "drift"])
def test_the_oracle_gains_in_b_only(subject, control):
    gain = subject.gain("oracle", control)
    assert gain["B"] > 0.2
    assert all(abs(gain[region]) < 0.06 for region in "ACD")


def test_ngram_gains_in_b_less_than_the_oracle(subject):
    gain = subject.gain("ngram", "ngramlag")
    assert gain["B"] > 0.03
    assert all(abs(gain[region]) < 0.02 for region in "ACD")
    assert subject.r("ngram")["B"] < subject.r("oracle")["B"] - 0.05


def test_autoregression_gains_in_c(subject):
    gain = subject.gain("ar", "eng1000")
    assert gain["C"] > 0.15
    assert abs(gain["D"]) < 0.03


def test_nothing_predicts_noise(subject):
    assert all(abs(subject.r(model)["D"]) < 0.04 for model in MODELS)


@pytest.mark.parametrize(
    ("model", "control"), [("oracle", "oraclelag"), ("ngram", "ngramlag"), ("random", "drift")]
)
def test_the_null_subject_shows_no_matcher_gain_anywhere(null_subject, model, control):
    gain = null_subject.gain(model, control)
    assert all(value < 0.02 for value in gain.values()), gain
    assert np.isfinite(list(gain.values())).all()
