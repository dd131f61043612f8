"""What a user should know of a run, collected from where it was noticed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.recall.features import features_file


def all_warnings(
    dataset: str | Path, settings: str | Path, bands: Iterable[str | Path]
) -> list[str]:
    """Warnings of features that do not vary, then of the checks of dataset and settings.

    Parameters
    ----------
    dataset : path
        warnings.txt.
    settings : path
        settings.json.
    bands : iterable of path
        Features of the run's bands, each read once.
    """
    checked = json.loads(Path(settings).read_text(encoding="utf-8"))
    return [
        *(warning for path in dict.fromkeys(bands) for warning in features_file(path).warnings()),
        *Path(dataset).read_text(encoding="utf-8").splitlines(),
        *checked["warnings"],
    ]
