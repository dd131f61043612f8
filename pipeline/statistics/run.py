"""Noise ceiling and significance of a fit, computed and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.progress import chunks
from pipeline.dataset.dataset import Dataset
from pipeline.fit.file import FitFile
from pipeline.statistics.ceiling import (
    Estimate,
    ceiling,
    combine,
    explainable_variance,
    jackknife,
    r_over_ceiling,
)
from pipeline.statistics.ceiling_file import CeilingFile
from pipeline.statistics.match_permutation import Matcher
from pipeline.statistics.options import TestOptions
from pipeline.statistics.stats_file import StatsFile
from pipeline.statistics.tests import test_difference, test_matches, test_r

BLOCK_BYTES = 64 * 2**20  # of the repeats of one block of voxels
NO_REPEATS = "no test story was presented several times (individual_repeats)"
NO_VOXEL = "the repeats have nothing in common (the interval of EV holds 0 in every voxel)"


def repeated(dataset: Dataset, subject: str, stories: Sequence[str]) -> dict[str, int]:
    """Stories that were presented several times, and how often."""
    one = {story: dataset.read_repeats(subject, story, slice(0, 1)) for story in stories}
    return {story: len(repeats) for story, repeats in one.items() if repeats is not None}


def _read_repeats(
    dataset: Dataset, subject: str, story: str, n_voxels: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of voxels with the presentations of a story, (n_repeats, n_rows, n_block)."""
    one = dataset.read_repeats(subject, story, slice(0, 1))
    assert one is not None, "only repeated stories are asked for"
    for voxels in chunks(range(n_voxels), BLOCK_BYTES // (8 * one.size)):
        repeats = dataset.read_repeats(subject, story, voxels)
        assert repeats is not None
        yield voxels, repeats


def write_ceiling(
    dataset: Dataset,
    subject: str,
    *,
    test: Sequence[str],
    attributes: Mapping[str, Any],
    output: Path,
) -> None:
    """Write the noise ceiling of a subject's repeated test stories.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    test : sequence of str
        Test stories.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write (`CeilingFile`).
    """
    n_repeats = repeated(dataset, subject, test)
    n_voxels = dataset.n_voxels(subject, test[0])
    found = False
    with CeilingFile.create(output, n_repeats, n_voxels, attributes) as file:
        for i, (story, n) in enumerate(n_repeats.items()):
            for voxels, repeats in _read_repeats(dataset, subject, story, n_voxels):
                ev = explainable_variance(repeats)
                known = ceiling(ev, n)
                file.write(i, voxels, ev, known)
                found |= bool(np.isfinite(known).any())
        file.write_reason("" if found else NO_VOXEL if n_repeats else NO_REPEATS)


def write_statistics(
    dataset: Dataset,
    subject: str,
    *,
    fit: str | Path,
    contrasts: Mapping[str, str | Path],
    options: TestOptions,
    seed: int,
    attributes: Mapping[str, Any],
    output: str | Path,
    matchers: Iterable[Matcher] = (),
) -> None:
    """Write a model's significance and its r over the noise ceiling.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    fit : path
        HDF5 of the model's fit.
    contrasts : dict of model to path
        Fits of the models that it is compared with.
    options : TestOptions
        As for `pipeline.statistics.tests.test_r`.
    seed : int
        Seed of the permutations.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write (`StatsFile`).
    matchers : iterable of Matcher
        Bands of the model whose matches are permuted.
    """
    ours = FitFile(fit)
    with StatsFile.create(output, attributes) as file:
        file.write_r(test_r(dataset, subject, ours, options, seed), options)
        for name, path in contrasts.items():
            theirs = FitFile(path)
            test = test_difference(dataset, subject, ours, theirs, options, seed)
            file.write_contrast(name, ours.r() - theirs.r(), test, options)
        for matcher in matchers:
            test = test_matches(dataset, subject, ours, matcher, options, seed)
            file.write_matches(matcher.band.name, test, options)
        file.write_r_ceiling(*_r_over_ceiling(dataset, subject, ours))


def _r_over_ceiling(dataset: Dataset, subject: str, fit: FitFile) -> tuple[Estimate, Estimate]:
    """R / CCmax per voxel, mean over repeated stories, and the mean over voxels."""
    n_voxels = fit.n_voxels()
    stories = list(repeated(dataset, subject, list(fit.n_rows())))
    nothing = (_unknown(n_voxels), _unknown(1))
    found = [_r_ceiling(dataset, subject, s, fit, n_voxels) for s in stories] or [nothing]
    by_voxel, mean = (combine(estimates) for estimates in zip(*found, strict=True))
    return by_voxel, mean


def _unknown(n: int) -> Estimate:
    return Estimate(*np.full((3, n), np.nan))


def _r_ceiling(
    dataset: Dataset, subject: str, story: str, fit: FitFile, n_voxels: int
) -> tuple[Estimate, Estimate]:
    """R / CCmax of a story: of each voxel, and the mean over those that have a ceiling."""
    columns = np.full((3, n_voxels), np.nan)
    total: np.ndarray | float = 0.0
    n = 0
    for voxels, repeats in _read_repeats(dataset, subject, story, n_voxels):
        measured = dataset.read_responses(subject, story, voxels)
        replicates = r_over_ceiling(fit.predictions(voxels, [story])[story], measured, repeats)
        columns[:, voxels] = jackknife(replicates)
        known = np.isfinite(replicates).all(axis=0)
        total = total + replicates[:, known].sum(axis=1)
        n += int(known.sum())
    mean = jackknife(np.asarray(total)[:, None] / n) if n else _unknown(1)
    return Estimate(*columns), mean
