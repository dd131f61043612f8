"""A run's configuration, found again in its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.config.load import complete, paths_of
from pipeline.core.errors import Problem, ProblemError

PROVENANCE = "provenance.json"


def read_config(folder: Path) -> dict[str, Any]:
    """The complete configuration of a finished run, its paths absolute.

    Results hold paths as the configuration had them, relative to the folder in which the run was
    made, which is two above its own.

    Parameters
    ----------
    folder : Path
        `results/NAME` of the run, absolute.

    Raises
    ------
    ProblemError
        If the run is not finished, or another version made it.
    """
    path = folder / PROVENANCE
    if not path.is_file():
        what, remedy = "this is no finished run", "give the folder results/NAME of one"
        raise ProblemError(Problem(path, "", what, remedy))
    config = complete(json.loads(path.read_text(encoding="utf-8"))["config"], path)
    here = folder.parents[1]
    config["data_root"] = str(here / config["data_root"])
    for _, part, key in paths_of(config):
        # What is no path from here is a name on a hub, or lies in the dataset.
        place = str(part[key]).partition("{")[0]
        if place and (here / place).exists():
            part[key] = str(here / part[key])
    if config["runs"] and not Path(config["runs"]).is_file():
        config["runs"] = None  # the dataset is not here, and what was made of it is
    return config
