"""The command `gim` as a stage of the workflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gim.cli import main
from pipeline.errors import InputError, Problem


def run_gim(command: str, files: Sequence[str], options: dict[str, Any], **flags: Any) -> None:
    """Run a subcommand of `gim` on files.

    Parameters
    ----------
    command : str
        The subcommand.
    files : sequence of str
        Its corpora.
    options : dict
        `lm` of the configuration (the tokenizer).
    **flags
        Its options by name; a list gives several values, None leaves the option out.

    Raises
    ------
    InputError
        If `gim` refuses its input; its own message, already printed, says why.
    """
    arguments = [command, *files]
    for name, value in {"tokenizer": options["tokenizer"], **flags}.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            arguments += [f"--{name.replace('_', '-')}", *map(str, values)]
    if main(arguments):
        call = "gim " + " ".join(arguments)
        raise InputError(Problem(call, "", "it failed", "see its message above"))
