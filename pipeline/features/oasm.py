"""Which moment of which story it is: a control that only leaking folds reward.

The orthogonal auto-correlated sequences of Feghhi, Hadidi, Song, Blank and Kao (2024,
https://arxiv.org/abs/2406.01538): every row is a direction of its own, smoothed over its
neighbours. It knows no words. If whole stories are left out it predicts nothing, as no direction
of theirs was seen in training; where rows of one story, or neighbouring blocks, train and test it
interpolates, and does so better than most models of language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.core.random import generator
from pipeline.dataset.story import Story
from pipeline.features.base import Kind


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Smoothed random directions of a story's volumes, (n_rows, n_directions).

    So many random columns stand for as many as there are volumes: two rows' directions have the
    product that the smoothed identity gives, within about 1 / sqrt(n_directions). A block has the
    rows of its whole story's volumes, so that blocks that are neighbours are alike.
    """
    from scipy.ndimage import gaussian_filter1d  # slow to import

    grid = story.grid
    rng = generator(options["seed"], "oasm", story.whole or story.name)
    directions = rng.standard_normal((grid.n_volumes, options["directions"]))
    smooth = gaussian_filter1d(directions, options["width"], axis=0, mode="constant")
    return smooth[grid.kept]


def columns(options: Mapping[str, Any]) -> list[str]:
    """Directions have no meaning, only numbers."""
    return [f"direction {i}" for i in range(1, options["directions"] + 1)]


KIND = Kind(
    "oasm",
    "stimulus",
    compute,
    fir=False,
    options={"directions": 500, "width": 2.0, "seed": 0},
    columns=columns,
    readable=False,
)
