"""A repeated test story scored as people heard it: once.

The responses to a story that was presented n times are averaged, which leaves a test story with
less noise than any training story has. That lifts r of every model alike. A model that copies the
story's own past BOLD gains once more, as what it copies is averaged, too: cleaner than anything
that its weights were fitted on, and than what one hearing gives. So every presentation is scored by
itself, twice: predicted from BOLD of its own, and from that of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np

from pipeline.bands.compute import band_features
from pipeline.bands.registry import BandOptions
from pipeline.dataset.basis import ResponseBasis
from pipeline.fit.design import Band, Design
from pipeline.matching.matches import Matches
from pipeline.statistics.ceiling import BLOCK, PairSums


class Predicts(Protocol):
    """What weights give of design rows."""

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Predictions, (n_rows, n_voxels)."""
        ...


@dataclass(frozen=True)
class Made:
    """How a band is made of BOLD, so that it can be made of a single presentation's.

    Parameters
    ----------
    options : BandOptions
        Of the band.
    basis : ResponseBasis
        Components of the subject's BOLD.
    matches : Matches or None
        Of the story, for bands made from matches.
    """

    options: BandOptions
    basis: ResponseBasis
    matches: Matches | None


@dataclass(frozen=True)
class Heard:
    """Correlations of one story, without each block of TRs in turn but for the first, (1 + n, v).

    Parameters
    ----------
    mean : array of shape (1 + n_blocks, n_voxels)
        Of the mean of all presentations, predicted from BOLD of the mean.
    first, single : arrays of the same shape
        Of the first presentation, and mean of all single ones, predicted from BOLD of their own.
    clean : array of the same shape
        Mean of single presentations, predicted from BOLD of the mean.
    """

    mean: np.ndarray
    first: np.ndarray
    single: np.ndarray
    clean: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Heard]) -> Heard:
        """Blocks of voxels side by side."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, k) for p in parts], axis=1) for k in names))


def heard_once(
    design: Design,
    made: Mapping[str, Made],
    predict: Predicts,
    *,
    story: str,
    measured: np.ndarray,
    presentations: np.ndarray,
    voxels: slice = slice(None),
    counted: np.ndarray | slice = slice(None),
    block: int = BLOCK,
) -> Heard:
    """Score a story's presentations one by one.

    Parameters
    ----------
    design : Design
        The model's bands, with the story as it was tested (only rows that count).
    made : mapping of band to Made
        The bands that are made from BOLD.
    predict : callable
        The model's weights (`pipeline.fit.refit.solve_again`), for `voxels`.
    story : str
        The story.
    measured : array of shape (n_counted, n_block)
        Mean of the presentations, of `voxels`.
    presentations : array of shape (n_presentations, n_rows, n_voxels)
        Of all voxels: what is copied is made of them.
    voxels : slice
        Those that are scored.
    counted : bool array of shape (n_rows,), or slice
        Rows that count.
    block : int
        TRs of a block.
    """
    of_mean = predict(design.rows(story))
    single, clean = [], []
    for heard in presentations:
        y = heard[counted, voxels]
        own = predict(_with_bold(design, made, story, heard).rows(story)) if made else of_mean
        single.append(_replicates(own, y, block))
        clean.append(_replicates(of_mean, y, block))
    return Heard(
        _replicates(of_mean, measured, block),
        single[0],
        np.mean(single, axis=0),
        np.mean(clean, axis=0),
    )


def _with_bold(design: Design, made: Mapping[str, Made], story: str, bold: np.ndarray) -> Design:
    """The design of a story if its BOLD had been this, (n_rows, n_voxels)."""
    return Design(
        tuple(
            _remade(band, made[band.name], story, bold) if band.name in made else band
            for band in design.bands
        )
    )


def _remade(band: Band, made: Made, story: str, bold: np.ndarray) -> Band:
    """A band of one story made of other BOLD, scaled and reduced as the training stories say."""
    assert band.preparation is not None, "a band of a run is made of its features"
    features = band_features(made.options, made.basis.scores(bold), made.matches)
    values = band.preparation.apply(features).astype(np.float32)
    return replace(band, values={story: values})


def _replicates(predicted: np.ndarray, measured: np.ndarray, block: int) -> np.ndarray:
    """R of all rows, then without each block, (1 + n_blocks, n_voxels)."""
    pairs = PairSums(predicted, measured, block)
    return np.stack([pairs.without(part) for part in (None, *range(len(pairs.n_rows)))])
