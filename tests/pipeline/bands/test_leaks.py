"""A prediction of row t uses the story's words and its BOLD at rows <= t - h, nothing else of it.

Shown from the files that the stages write, for every feature space and matcher that is registered:
what happens to the design of a test story when its BOLD changes.
"""

import numpy as np
import pandas as pd
import pytest

from pipeline.bands.compute import find_matches, match_features, response_features
from pipeline.bands.registry import BandOptions, band_options, known_kinds
from pipeline.config.load import complete
from pipeline.dataset.basis import response_basis
from pipeline.fit.design import load_band
from tests.helpers.responses import rewrite, write_responses
from tests.helpers.stories import random_story

N_ROWS = 70
STORIES = ["a", "b", "c", "test"]
OF_BOLD = ("responses", "matches")
BOLD_KINDS = sorted(k for k, kind in known_kinds().items() if kind.source in OF_BOLD)


class Case:
    """A dataset of random words and BOLD, and the design of one band made from it."""

    def __init__(self, root, kind, horizon, **options):
        self.root = root
        self.dataset = write_responses(root, dict.fromkeys(STORIES, N_ROWS), n_voxels=8)
        rng = np.random.default_rng(1)
        words = [random_story(rng, N_ROWS, name=s).words.assign(story=s) for s in STORIES]
        pd.concat(words).to_parquet(root / "words.parquet")
        self._write_truth()
        features = {"eng1000": {}, "ngram": {}, kind: {"kind": kind, **options}}
        if kind == "lag":
            features[kind]["of"] = "ngram"
        self.config = complete(
            {
                "name": "leaks",
                "data_root": str(root),
                "subjects": {"S1": {}},
                "stories": {"train": ["a", "b", "c"], "test": ["test"]},
                "features": features,
                "models": {"eng1000": ["eng1000"], "m": [kind]},
                "horizon": horizon,
                "fit": {"n_folds": 3},
            }
        )
        self.kind = kind

    def _write_truth(self):
        events = [
            {"story": s, "event": 1, "kind": "verbatim", "row_first": first, "row_last": first + 2}
            | {"earlier_row_first": first - lag}
            for s in STORIES
            for first, lag in [(20, 4), (30, 15), (50, 31), (60, 5)]
        ]
        (self.root / "truth").mkdir()
        pd.DataFrame(events).to_csv(self.root / "truth" / "events.tsv", sep="\t", index=False)

    def _matches(self, band, redrawn=None):
        path = self.root / f"{band}.parquet"
        given = band_options(self.config, band).as_mapping()
        options = BandOptions.read(given | {"truth": str(self.root / "truth")})
        find_matches(
            self.dataset,
            self.root / "words.parquet",
            stories=STORIES,
            train=STORIES[:3],
            subject="S1",
            band=band,
            options=options,
            seed=0,
            redrawn=redrawn,
            output=path,
        )
        return path

    def design(self):
        """Final design rows of the band in the test story, (n_rows, n_columns)."""
        basis, output = self.root / "basis.h5", self.root / "band.h5"
        response_basis(
            self.dataset, "S1", train=STORIES[:3], test=["test"], n_components=5, output=basis
        )
        options = band_options(self.config, self.kind)
        if known_kinds()[self.kind].source == "responses":
            response_features(basis, stories=STORIES, options=options, output=output)
        else:
            redrawn = self._matches("ngram") if self.kind == "lag" else None
            match_features(
                self._matches(self.kind, redrawn),
                basis,
                stories=STORIES,
                options=options,
                output=output,
            )
        band = load_band(
            self.kind,
            output,
            options=options,
            delays=(1, 2, 3, 4),
            train=STORIES[:3],
            test=["test"],
        )
        return band.rows("test")

    def after_changing_bold(self, rows):
        """Design with the test story's BOLD replaced at `rows`."""
        original = self.dataset.read_responses("S1", "test")
        changed = original.copy()
        changed[rows] = 10 * np.random.default_rng(2).standard_normal(changed[rows].shape)
        rewrite(self.dataset, "S1", "test", changed)
        design = self.design()
        rewrite(self.dataset, "S1", "test", original)
        return design


@pytest.mark.parametrize("horizon", [1, 2, 5, 8])
@pytest.mark.parametrize("kind", BOLD_KINDS)
def test_bold_newer_than_the_horizon_changes_nothing(tmp_path, language, kind, horizon):
    case = Case(tmp_path, kind, horizon, **language.get(kind, {}))
    before = case.design()
    reached = False
    for t in (12, 33, 40, 53, 69):
        after = case.after_changing_bold(slice(t - horizon + 1, None))
        np.testing.assert_array_equal(after[: t + 1], before[: t + 1])
        reached |= bool((after[t + 1 :] != before[t + 1 :]).any())
    assert reached or kind == "oracle", "the band does not depend on BOLD at all"


@pytest.mark.parametrize("horizon", [1, 2, 5])
@pytest.mark.parametrize("kind", ["ar", "drift"])
def test_the_controls_use_bold_right_up_to_the_horizon(tmp_path, kind, horizon):
    case = Case(tmp_path, kind, horizon)
    before = case.design()
    after = case.after_changing_bold([40 - horizon])
    assert (after[:40] == before[:40]).all()
    assert (after[40] != before[40]).any()


@pytest.mark.parametrize("kind", ["random", "ngram"])
def test_a_smaller_lag_than_the_horizon_cannot_be_configured(tmp_path, kind):
    free = Case(tmp_path, kind, 5, min_lag=1).design()
    (tmp_path / "again").mkdir()
    np.testing.assert_array_equal(free, Case(tmp_path / "again", kind, 5).design())


def test_matches_do_not_depend_on_bold(tmp_path):
    case = Case(tmp_path, "ngram", 2)
    before = pd.read_parquet(case._matches("ngram"))
    rewrite(case.dataset, "S1", "test", np.zeros((N_ROWS, 8)))
    pd.testing.assert_frame_equal(before, pd.read_parquet(case._matches("ngram")))
