"""A map and its names: what is shown, of which model, against which, above which threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.core.bids import bids_stem


@dataclass(frozen=True)
class VoxelMap:
    """Test correlation of a model, or its difference to another model's.

    Parameters
    ----------
    subject, model : str
        Whose.
    values : array of shape (n_voxels,)
        NaN where a voxel has no variance, or does not pass the threshold.
    subtitle : str
        What figures say under the title.
    minus : str or None
        Model that was subtracted.
    q : float or None
        False discovery rate of a thresholded map.
    """

    subject: str
    model: str
    values: np.ndarray
    subtitle: str
    minus: str | None = None
    q: float | None = None

    @property
    def stat(self) -> str:
        """Statistic: r, or rdiff."""
        return "r" if self.minus is None else "rdiff"

    @property
    def stem(self) -> str:
        """Start of the names of its files."""
        level = np.format_float_positional(self.q).partition(".")[2] if self.q else None
        return bids_stem(
            sub=self.subject, minus=self.minus, stat=self.stat, q=level, desc=self.model
        )

    @property
    def title(self) -> str:
        """What figures say."""
        what = f"{self.model} minus {self.minus}: difference in" if self.minus else f"{self.model}:"
        threshold = f", FDR q < {self.q:g}" if self.q else ""
        return f"{self.subject}, {what} test correlation{threshold}"

    def threshold(self, q: np.ndarray, level: float) -> Self:
        """The map where `q`, array of shape (n_voxels,), is below `level`; NaN elsewhere."""
        passed = q < level
        count = f"{np.count_nonzero(passed)} of {np.isfinite(q).sum()} voxels"
        values = np.where(passed, self.values, np.nan)
        return replace(self, values=values, q=level, subtitle=f"{self.subtitle}   ({count})")

    def record(self, path: Path, kind: str, unit: str) -> dict[str, Any]:
        """What a reader of a file of this map needs to know."""
        named = {key: getattr(self, key) for key in ("stat", "model", "minus", "q", "title")}
        return {"file": path.name, "kind": kind, **named, "band": None, "unit": unit}


def correlation_maps(
    r: Mapping[str, np.ndarray], bands: Mapping[str, Sequence[str]], subject: str
) -> list[VoxelMap]:
    """Maps of the test correlation of every model."""
    return [
        VoxelMap(subject, model, np.asarray(values, float), f"bands: {' + '.join(bands[model])}")
        for model, values in r.items()
    ]


def difference_maps(
    r: Mapping[str, np.ndarray],
    bands: Mapping[str, Sequence[str]],
    subject: str,
    contrasts: Mapping[str, Sequence[str]],
) -> list[VoxelMap]:
    """Maps of the difference of every model to each of its contrasts."""
    return [
        VoxelMap(
            subject,
            model,
            np.asarray(r[model] - r[reference], float),
            f"{' + '.join(bands[model])}  minus  {' + '.join(bands[reference])}",
            minus=reference,
        )
        for model in r
        for reference in contrasts.get(model, ())
    ]
