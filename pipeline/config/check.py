"""Look at a configuration from somebody else before Snakemake does: nothing in it is run.

python -m pipeline.config FILE...: whether it is a program, what is wrong with it, and which folders
and servers it would use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.addresses import ADDRESSES
from pipeline.config.load import complete, read_file
from pipeline.core.errors import ProblemError

PROFILE = Path("profiles/default")  # Snakemake takes the one of the folder that it runs in, unasked


def check(files: Sequence[Path], profiles: Sequence[Path] = ()) -> dict[str, Any]:
    """Read configurations and profiles without evaluating anything.

    Parameters
    ----------
    files : sequence of Path
        Configurations; a later one changes keys of those before it, as for Snakemake.
    profiles : sequence of Path
        Folders of Snakemake's profiles, or their files.

    Returns
    -------
    dict
        The complete configuration.

    Raises
    ------
    ProblemError
        With all that is wrong; above all, where a file is a program.
    """
    config: dict[str, Any] = {}
    problems = []
    for path in [*files, *(file for profile in profiles for file in _files(profile))]:
        try:
            content = read_file(path)
        except ProblemError as error:
            problems += error.problems
            continue
        if path in files and isinstance(content, dict):
            config = _merged(config, content)
    if problems:
        raise ProblemError(problems)
    return complete(config, " ".join(map(str, files)))


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.config", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a configuration")
    parser.add_argument(
        "--profile", type=Path, action="append", default=[], help="a profile of Snakemake as well"
    )
    options = parser.parse_args(arguments)
    profiles = [*options.profile, *([PROFILE] if PROFILE.is_dir() else [])]
    try:
        config = check(options.files, profiles)
    except ProblemError as error:
        sys.exit(str(error))
    print("\n".join(_summary(config, profiles)))


def _merged(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the keys of another one, in depth."""
    nested = {
        key: _merged(config[key], value)
        for key, value in changes.items()
        if isinstance(value, dict) and isinstance(config.get(key), dict)
    }
    return {**config, **changes, **nested}


def _files(profile: Path) -> list[Path]:
    """YAML files of a profile, any of which Snakemake may choose."""
    return sorted(profile.glob("*.y*ml")) if profile.is_dir() else [profile]


def _summary(config: dict[str, Any], profiles: Sequence[Path]) -> Iterator[str]:
    """What a user should know of a configuration that can be run."""
    yield "No program is in it, and its keys are right. A run"
    yield f"  reads the dataset  {config['data_root']}"
    yield f"  writes             results/{config['name']}"
    if config["simulate"] is not None:
        yield f"  writes             {config['data_root']} (simulated)"
    if config["fetch"]:
        asked = ", ".join(config["fetch"][key] for key in ADDRESSES)
        yield f"  with target fetch  asks {asked}, and writes to {config['data_root']}"
    for profile in profiles:
        yield f"The profile {profile} may name commands that Snakemake runs: read all of it."
