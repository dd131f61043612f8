"""Variance partitioning: what feature spaces explain alone and what they share, by refitting.

Every combination of two or three spaces is a model of its own. What a space explains that the
others cannot is R2 of all of them minus R2 without it; what spaces share follows by inclusion and
exclusion (commonality analysis; de Heer et al. 2017, doi:10.1523/JNEUROSCI.3267-16.2017). Unlike
the shares of one fit (`pipeline.fit.attribution`), unique variance is not divided at will between
bands that predict the same, as bands made from autocorrelated BOLD do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.partitions import Spaces, subsets
from pipeline.core.random import generator
from pipeline.core.series import centre, mean_over_stories
from pipeline.dataset.dataset import Dataset
from pipeline.fit.file import FitFile
from pipeline.statistics.blocks import block_starts, draw_swaps
from pipeline.statistics.options import TestOptions
from pipeline.statistics.partition_file import PartitionFile
from pipeline.statistics.permutation import Tally
from pipeline.statistics.tests import measured, voxel_blocks


def parts(r2: Mapping[Spaces, np.ndarray], spaces: Sequence[str]) -> dict[Spaces, np.ndarray]:
    """What each combination of spaces explains in common that the others do not.

    Parameters
    ----------
    r2 : dict of combination to array of shape (n_voxels,)
        R2 of the model of each combination (`subsets`).
    spaces : sequence of str
        All spaces.

    Returns
    -------
    dict of combination to array of shape (n_voxels,)
        Unique variance for single spaces, shared variance for several. They sum to R2 of all
        spaces; negative ones are kept as they are.
    """
    return {shared: _common(r2, spaces, shared) for shared in subsets(spaces)}


def _common(r2: Mapping[Spaces, np.ndarray], spaces: Sequence[str], shared: Spaces) -> np.ndarray:
    """Inclusion and exclusion: R2 of the others with each part of `shared`, signs alternating."""
    total = np.zeros_like(r2[tuple(spaces)])
    for inside in [(), *subsets(shared)]:
        union = tuple(s for s in spaces if s not in shared or s in inside)
        if union:  # no space explains nothing
            total = total + (-1) ** (len(inside) + 1) * r2[union]
    return total


def block_errors(predicted: np.ndarray, response: np.ndarray, length: int) -> np.ndarray:
    """Squared error of each block of TRs as a share of the response's variance in the story.

    Parameters
    ----------
    predicted, response : arrays of shape (n_rows, n_voxels)
        Of one story; their means over the story are taken out.
    length : int
        TRs of a block.

    Returns
    -------
    array of shape (n_blocks, n_voxels)
        Sums to 1 - R2; NaN where the response does not vary.
    """
    y = centre(response)
    error = y - centre(predicted)
    total = np.einsum("ij,ij->j", y, y)
    sums = np.add.reduceat(error * error, block_starts(len(y), length), axis=0)
    return sums / np.where(total == 0, np.nan, total)


def _errors(
    predicted: Mapping[str, np.ndarray], responses: Sequence[np.ndarray], length: int
) -> list[np.ndarray]:
    """`block_errors` of each story."""
    pairs = zip(predicted.values(), responses, strict=True)
    return [block_errors(p, y, length) for p, y in pairs]


def _unique_null(
    without: Sequence[np.ndarray], full: Sequence[np.ndarray], signs: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """What R2 gains, (n_voxels,), and with the models swapped in blocks, (n_null, n_voxels)."""
    gains = [w - f for w, f in zip(without, full, strict=True)]
    observed = mean_over_stories(gain.sum(axis=0) for gain in gains)
    return observed, mean_over_stories(s @ g for s, g in zip(signs, gains, strict=True))


def write_partition(
    dataset: Dataset,
    subject: str,
    *,
    fits: Mapping[Spaces, str | Path],
    options: TestOptions,
    seed: int,
    attributes: Mapping[str, Any],
    output: str | Path,
) -> None:
    """Partition the variance that the fits of all combinations of spaces explain on test stories.

    Unique parts are tested, two-sided: the predictions of the models with and without the space
    are swapped block by block.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    fits : dict of combination to path
        Fits of the models, those of single spaces first (`subsets`).
    options : TestOptions
        As for `pipeline.statistics.tests.test_r`.
    seed : int
        Seed of the permutations.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write (`PartitionFile`).
    """
    spaces = list(fits)[-1]
    models = {combination: FitFile(path) for combination, path in fits.items()}
    n_rows, n_voxels = models[spaces].n_rows(), models[spaces].n_voxels()
    rng = generator(seed, subject, "swap")
    swaps = draw_swaps(list(n_rows.values()), options.block, options.permutations, rng)
    signs = [1 - 2 * swap.astype(np.float32) for swap in swaps]
    r2 = {combination: np.full(n_voxels, np.nan) for combination in fits}
    tallies = {s: Tally(len(swaps[0]), n_voxels, True, options.tail) for s in spaces}
    for voxels in voxel_blocks(n_voxels, len(swaps[0])):
        responses = measured(dataset, subject, list(n_rows), voxels)
        errors = {
            combination: _errors(model.predictions(voxels), responses, options.block)
            for combination, model in models.items()
        }
        for combination, by_story in errors.items():
            r2[combination][voxels] = mean_over_stories(1 - e.sum(axis=0) for e in by_story)
        for space, tally in tallies.items():
            without = tuple(s for s in spaces if s != space)
            tally.add(voxels, *_unique_null(errors[without], errors[spaces], signs))
    PartitionFile.write(
        output,
        spaces,
        r2=r2,
        parts=parts(r2, spaces),
        tests={space: tally.result() for space, tally in tallies.items()},
        options=options,
        attributes=attributes,
    )
