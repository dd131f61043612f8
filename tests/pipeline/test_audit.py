"""The audit finds nothing in what the stages write, and every kind of leak that is planted."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline import audit
from pipeline.bands.compute import find_matches, match_features, response_features
from pipeline.bands.registry import band_options, kind_of
from pipeline.config.load import complete
from pipeline.core.errors import LeakError
from pipeline.dataset.basis import response_basis
from pipeline.fit import design
from pipeline.matchers import ngram
from pipeline.matching import matches as matching
from tests.helpers.responses import write_responses
from tests.helpers.stories import random_story

STORIES = ["a", "b", "c", "test"]
N_ROWS = 60
HORIZON = 3


class Made:
    """A subject whose bands are made by the real stages, with leaks planted on the way."""

    def __init__(self, root, bands, **features):
        self.root = root
        self.dataset = write_responses(root, dict.fromkeys(STORIES, N_ROWS), n_voxels=6)
        rng = np.random.default_rng(1)
        words = [random_story(rng, N_ROWS, name=s).words.assign(story=s) for s in STORIES]
        self.words = root / "words.parquet"
        pd.concat(words).to_parquet(self.words)
        self.config = complete(
            {
                "name": "audit",
                "data_root": str(root),
                "subjects": {"S1": {}},
                "stories": {"train": STORIES[:3], "test": STORIES[3:]},
                "features": {"eng1000": {}, **{b: features.get(b, {}) for b in bands}},
                "models": {"eng1000": ["eng1000"]},
                "horizon": HORIZON,
                "fit": {"n_folds": 3},
            }
        )
        self.bands = bands
        self.options = {b: band_options(self.config, b) for b in bands}
        self.basis = root / "basis.h5"
        self.make_basis(STORIES[:3])
        self.matches = {b: root / f"{b}.parquet" for b in bands if self.source(b) == "matches"}
        self.features = {b: root / f"{b}.h5" for b in bands}

    def source(self, band):
        return self.options[band].source

    def make_basis(self, train):
        response_basis(
            self.dataset,
            "S1",
            train=train,
            test=[s for s in STORIES if s not in train],
            n_components=4,
            output=self.basis,
        )

    def make(self):
        for band in self.bands:
            options = self.options[band]
            if band in self.matches:
                redrawn = self.matches.get(options.redraws)
                find_matches(
                    self.dataset,
                    self.words,
                    stories=STORIES,
                    train=STORIES[:3],
                    subject="S1",
                    band=band,
                    options=options,
                    seed=0,
                    redrawn=redrawn,
                    output=self.matches[band],
                )
                match_features(
                    self.matches[band],
                    self.basis,
                    stories=STORIES,
                    options=options,
                    output=self.features[band],
                )
            else:
                response_features(
                    self.basis, stories=STORIES, options=options, output=self.features[band]
                )
        return self

    def audit(self, n_rows=3):
        subject = audit.Subject(
            dataset=self.dataset,
            name="S1",
            train=STORIES[:3],
            test=STORIES[3:],
            words=pd.read_parquet(self.words),
            basis=self.basis,
            features=self.features,
            matches=self.matches,
            options=self.options,
            delays=(1, 2, 3, 4),
            seed=0,
        )
        return audit.audit(subject, n_stories=1, n_rows=n_rows, seed=0)

    def leaks(self):
        with pytest.raises(LeakError) as caught:
            self.audit()
        return str(caught.value)


def test_nothing_is_found_in_what_the_stages_write(tmp_path, language):
    bands = ["ar", "drift", "random", "ngram", "ngramlag", "gim", "gimlag"]
    soft = {**language["gim"], "n_matches": None, "components": 2}
    made = Made(tmp_path, bands, gim=soft, ngram={"best_fraction": 0.5}).make()
    table = made.audit()
    assert len(table) == len(bands) * 2 * 3
    newest = table.groupby("band")["newest_bold"]
    assert newest.max()["ar"] == newest.min()["ar"] == -HORIZON
    assert newest.max()["gim"] == -HORIZON  # every earlier row has some weight
    assert (newest.max() <= -HORIZON).all()
    word = table.groupby("band")["newest_word_seconds"].max()
    assert -2 < word["gim"] < 0  # the last word of the TR
    assert np.isnan(word["random"])


def test_code_that_uses_newer_bold_is_found(tmp_path, monkeypatch):
    def newer(scores, horizon, options):
        return design.delay(scores, [horizon - 1])

    monkeypatch.setitem(vars(kind_of("ar")), "compute", newer)
    assert "is used, newer than" in Made(tmp_path, ["ar"]).make().leaks()


def test_matches_that_are_too_new_are_found(tmp_path, monkeypatch):
    rule = matching.newest_match
    for module in ("pipeline.bands.compute", "pipeline.audit"):
        monkeypatch.setattr(f"{module}.newest_match", lambda n, m: rule(n, m) + 1)
    made = Made(tmp_path, ["ngram"])
    made.options["ngram"].own["n"] = 1  # matches nearly everywhere, nearly as new as may be
    assert "is used, newer than" in made.make().leaks()


def test_a_delay_that_shortens_the_horizon_is_found(tmp_path, monkeypatch):
    rule = matching.fir_of_matches

    def with_zero(matching):
        delays, weights = rule(matching)
        return [0, *delays], [1.0, *weights]

    monkeypatch.setattr(design, "fir_of_matches", with_zero)
    made = Made(tmp_path, ["ngram"])
    made.options["ngram"].own["n"] = 1  # matches nearly everywhere, nearly as new as may be
    assert "is used, newer than" in made.make().leaks()


def test_future_bold_smuggled_into_a_file_is_found(tmp_path):
    made = Made(tmp_path, ["drift"]).make()
    with h5py.File(made.features["drift"], "a") as file, h5py.File(made.basis) as basis:
        for story in STORIES:
            file[story][:-1, 0] += 0.1 * basis[f"scores/{story}"][1:, 0]
    assert "features written are not those of its past BOLD" in made.leaks()


def test_matches_that_listen_ahead_are_found(tmp_path, monkeypatch):
    """The authors' similarities saw words up to three TRs later (error 3)."""
    original = ngram.match

    def ahead(story, newest, rng, options):
        shifted = story.words.assign(onset=story.words["onset"] - 2 * story.grid.tr)
        return original(type(story)(story.name, shifted, story.grid), newest, rng, options)

    monkeypatch.setattr(ngram, "match", ahead)
    assert "after its row's end" in Made(tmp_path, ["ngram"]).make().leaks()


def test_matches_changed_by_hand_are_found(tmp_path):
    made = Made(tmp_path, ["ngram", "ngramlag"]).make()
    table = pd.read_parquet(made.matches["ngram"])
    table.loc[table["tr"] >= 20, "match_tr"] = 1
    table.to_parquet(made.matches["ngram"])
    match_features(
        made.matches["ngram"],
        made.basis,
        stories=STORIES,
        options=made.options["ngram"],
        output=made.features["ngram"],
    )
    assert "ngram, test: the matches written are not those of its words" in made.leaks()


def test_components_fitted_on_test_stories_are_found(tmp_path):
    """The authors' components had seen the test story's future (error 1)."""
    made = Made(tmp_path, ["ar"])
    made.make_basis(STORIES)
    assert "components are not those of the training stories" in made.make().leaks()


def test_scaling_by_test_stories_is_found(tmp_path, monkeypatch):
    made = Made(tmp_path, ["drift"]).make()
    scale = design._training_scale
    monkeypatch.setattr(
        design, "_training_scale", lambda values, train: scale(values, list(values))
    )
    assert "depend on the test stories" in made.leaks()
