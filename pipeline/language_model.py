"""The command `gim` as a stage of the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gim.cli import main
from gim.errors import InputError
from gim.files import check_replaceable
from pipeline.core.errors import Problem, ProblemError

MADE = "training.json"  # written last into what a training makes


def run_gim(command: str, files: Sequence[str], flags: Mapping[str, Any]) -> None:
    """Run a subcommand of `gim` on files.

    Parameters
    ----------
    command : str
        The subcommand.
    files : sequence of str
        Its corpora.
    flags : mapping
        Its options by name; a list gives several values, None leaves the option out.

    Raises
    ------
    ProblemError
        If `gim` refuses its input; its own message, already printed, says why.
    """
    arguments = [command, *files]
    for name, value in flags.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            arguments += [f"--{name.replace('_', '-')}", *map(str, values)]
    if main(arguments):
        call = "gim " + " ".join(arguments)
        raise ProblemError(Problem(call, "", "it failed", "see its message above"))


def training_files(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Files that training reads and writes, by command.

    Parameters
    ----------
    options : dict
        `training` of the configuration.

    Returns
    -------
    files : dict
        For "pretrain" and "distill": `config`, `corpora` and `made`, the file that is written
        last; for "distill" also `teacher`, that of "pretrain", or nothing if another is named.
        Folders are no output of a rule: Snakemake would delete them before it runs.

    Raises
    ------
    ProblemError
        For settings that `gim` refuses, or a folder that is not its own to replace.
    """
    from gim.training.reading import read_settings
    from gim.training.settings import Distillation, Pretraining

    try:
        first = read_settings(options["pretrain"], Pretraining)
        second = read_settings(options["distill"], Distillation)
        for settings in (first, second):
            check_replaceable(settings.out)
    except InputError as error:
        raise ProblemError(Problem(options["pretrain"], "", str(error), "correct it")) from error
    ours = Path(second.teacher) == Path(first.out)
    made = f"{first.out}/{MADE}"
    return {
        "pretrain": {
            "config": options["pretrain"],
            "corpora": first.data.corpora,
            "made": made,
        },
        "distill": {
            "config": options["distill"],
            "corpora": second.data.corpora,
            "made": f"{second.out}/{MADE}",
            "teacher": [made] if ours else [],
        },
    }
