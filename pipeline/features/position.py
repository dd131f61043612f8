"""Position in the story: a control that knows neither words nor BOLD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.dataset.story import Story
from pipeline.features.base import Kind

CYCLES = (1, 2, 3)  # sine and cosine pairs over the story
DECAYS = (10.0, 30.0)  # time constants of the onset transients, TRs


def compute(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """Functions of the row number t, array of shape (n_rows, 12).

    t, sqrt t, t^2, t^3, exp(-t / 10), exp(-t / 30), and three sine and cosine pairs whose periods
    are the story, a half and a third of it.
    """
    n_rows = story.grid.n_rows
    t = np.arange(n_rows, dtype=float)
    century = t / 100  # keeps the cubic in range; the columns are standardised later anyway
    phase = 2 * np.pi * t / n_rows
    columns = [t, np.sqrt(t), century**2, century**3]
    columns += [np.exp(-t / tau) for tau in DECAYS]
    columns += [wave(k * phase) for k in CYCLES for wave in (np.sin, np.cos)]
    return np.stack(columns, axis=1)


def columns(options: Mapping[str, Any]) -> list[str]:
    """Their formulas."""
    powers = ["t", "sqrt t", "t^2", "t^3", *(f"exp(-t / {tau:g})" for tau in DECAYS)]
    return powers + [f"{wave} {k}" for k in CYCLES for wave in ("sine", "cosine")]


KIND = Kind("position", "stimulus", compute, fir=False, columns=columns)
