"""All tests of one model of one subject, block of voxels by block of voxels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.core.progress import chunks, track
from pipeline.core.random import generator
from pipeline.dataset.dataset import Dataset
from pipeline.fit.file import FitFile
from pipeline.statistics.blocks import draw_orders, draw_swaps, order_null, swap_null
from pipeline.statistics.match_permutation import Matcher, match_null, permuted_matches
from pipeline.statistics.options import TestOptions
from pipeline.statistics.permutation import Tally, Test
from pipeline.statistics.shifts import draw_shifts, shift_null

NULL_BYTES = 32 * 2**20  # of one block's permuted statistics
CACHED = 256  # voxels whose predictions of a story stay in the processor's cache


def measured(
    dataset: Dataset, subject: str, stories: Sequence[str], voxels: slice
) -> list[np.ndarray]:
    """Responses to stories, arrays of shape (n_rows, n_voxels)."""
    return [dataset.read_responses(subject, story, voxels) for story in stories]


def voxel_blocks(n_voxels: int, n_null: int, largest: int | None = None) -> Iterator[slice]:
    """Blocks of voxels, at most `largest`, whose permuted statistics fit into `NULL_BYTES`."""
    size = min(max(NULL_BYTES // (4 * max(n_null, 500)), 1), largest or n_voxels)
    return track(chunks(range(n_voxels), size), "blocks of voxels")


def test_r(dataset: Dataset, subject: str, fit: FitFile, options: TestOptions, seed: int) -> Test:
    """Is the mean r over the test stories above 0? One-sided, for every voxel.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    fit : FitFile
        The model's.
    options : TestOptions
        Scheme, permutations, tail.
    seed : int
        Seed of the permutations, which are the same for all voxels and models of a subject.
    """
    rows = list(fit.n_rows().values())
    rng = generator(seed, subject, options.scheme)
    if options.scheme == "shift":
        shifts = draw_shifts(rows, options.min_shift, options.permutations, rng)
        n_null = len(shifts)
    else:
        orders = draw_orders(rows, options.block, options.permutations, rng)
        n_null = len(orders[0])
    tally = Tally(n_null, fit.n_voxels(), tail=options.tail)
    for voxels in voxel_blocks(fit.n_voxels(), n_null):
        predicted = fit.predictions(voxels)
        responses = measured(dataset, subject, list(predicted), voxels)
        stories = list(zip(predicted.values(), responses, strict=True))
        if options.scheme == "shift":
            tally.add(voxels, *shift_null(stories, shifts, options.min_shift))
        else:
            tally.add(voxels, *order_null(stories, orders))
    return tally.result()


def test_difference(
    dataset: Dataset,
    subject: str,
    fit: FitFile,
    reference: FitFile,
    options: TestOptions,
    seed: int,
) -> Test:
    """Do two models differ in their mean r over the test stories? Two-sided, for every voxel.

    Parameters are those of `test_r`, and the `reference` model's predictions.
    """
    rows = list(fit.n_rows().values())
    rng = generator(seed, subject, "swap")
    swaps = draw_swaps(rows, options.block, options.permutations, rng)
    tally = Tally(len(swaps[0]), fit.n_voxels(), two_sided=True, tail=options.tail)
    for voxels in voxel_blocks(fit.n_voxels(), len(swaps[0])):
        ours, theirs = fit.predictions(voxels), reference.predictions(voxels)
        responses = measured(dataset, subject, list(ours), voxels)
        stories = list(zip(ours.values(), theirs.values(), responses, strict=True))
        tally.add(voxels, *swap_null(stories, swaps, options.block))
    return tally.result()


def test_matches(
    dataset: Dataset,
    subject: str,
    fit: FitFile,
    matcher: Matcher,
    options: TestOptions,
    seed: int,
) -> Test:
    """Do the particular matches of a band matter? One-sided, for every voxel.

    Parameters are those of `test_r`, and the band of the model whose matches are permuted within
    lag bins; the model and its other bands stay as they are.
    """
    rng = generator(seed, subject, matcher.band.name, "matches")
    n = options.permutations
    permuted = [
        permuted_matches(rows, matcher.newest[story], n, rng)
        for story, rows in matcher.match_rows.items()
    ]
    tally = Tally(n, fit.n_voxels(), tail=options.tail)
    for voxels in voxel_blocks(fit.n_voxels(), n, CACHED):
        weights, predicted = fit.weights(matcher.band.name, voxels), fit.predictions(voxels)
        responses = measured(dataset, subject, list(predicted), voxels)
        stories = [
            matcher.copies(story, p, y, weights)
            for (story, p), y in zip(predicted.items(), responses, strict=True)
        ]
        tally.add(voxels, *match_null(stories, list(matcher.match_rows.values()), permuted))
    return tally.result()
