"""What the matches of a model's band add to its predictions, from the weights that its fit kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.bands.compute import band_features
from pipeline.dataset.basis import read_scores
from pipeline.fit.design import Band, make_band
from pipeline.matching.matches import Matches, load_matches, newest_match
from pipeline.significance.matches import Copies


@dataclass(frozen=True)
class Matcher:
    """A band that copies what followed single matches, ready to copy from other rows.

    Parameters
    ----------
    band : Band
        Its `values` of a test story have a row for each row that can be matched, and a last one
        for no match.
    match_rows, newest : dict of str to array of int, shape (n_rows,)
        Match of every row of the test stories, and the newest row that it may match.
    """

    band: Band
    match_rows: dict[str, np.ndarray]
    newest: dict[str, np.ndarray]

    @classmethod
    def read(
        cls,
        name: str,
        options: Mapping[str, Any],
        features: str | Path,
        matches: str | Path,
        basis: str | Path,
        delays: Sequence[int],
        stories: Mapping[str, Sequence[str]],
    ) -> Matcher:
        """Read a band's features, matches, and the component scores that they copy.

        Parameters
        ----------
        name : str
            The band.
        options : dict
            `pipeline.bands.options.band_options` of the band.
        features, matches, basis : paths
            Files of the band's features and matches, and of the subject's components.
        delays : sequence of int
            FIR delays of the configuration.
        stories : dict
            `train` and `test` stories.
        """
        options = dict(options)
        with h5py.File(features) as file:
            values = {s: np.asarray(file[s], np.float64) for s in stories["train"]}
        scores = read_scores(basis, stories["test"])
        values |= {story: _copied_from_each(s, options) for story, s in scores.items()}
        found = load_matches(matches)
        newest = {s: newest_match(len(v), options["horizon"], options) for s, v in scores.items()}
        band = make_band(name, values, options, delays, stories["train"])
        return cls(band, {s: found[s].match_row for s in scores}, newest)

    def copies(
        self, story: str, predicted: np.ndarray, measured: np.ndarray, weights: np.ndarray
    ) -> Copies:
        """Split a model's prediction of a test story into what matches add, and the rest.

        Parameters
        ----------
        story : str
            The story.
        predicted, measured : arrays of shape (n_rows, n_voxels)
            Of the whole model.
        weights : array of shape (n_columns, n_voxels)
            Weights of the band's columns.
        """
        values, delays = self.band.values[story], self.band.delays
        factors = np.asarray(self.band.weights, np.float32)[:, None, None]
        by_delay = weights.reshape(len(delays), values.shape[1], -1) * factors
        added = np.stack([values @ w for w in by_delay])
        own = Copies(np.zeros_like(predicted), measured, delays, added)
        return Copies(predicted - own.predicted(self.match_rows[story]), measured, delays, added)


def _copied_from_each(scores: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """Features of a match to each row, then of no match, (n_rows + 1, n_features).

    The last rows, which nothing follows that could be copied, are those of no match; no row may
    match them.
    """
    n_rows = len(scores)
    complete = n_rows - max(options["offsets"])
    everywhere = np.arange(complete)
    each = Matches.hard(everywhere, np.ones(complete))
    features = band_features(options, scores, each)
    return np.concatenate(
        [features[:complete], np.zeros((n_rows + 1 - complete, features.shape[1]))]
    )
