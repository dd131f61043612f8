"""The lines of the page, which do not say whose it is."""

from __future__ import annotations

import getpass
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["", "note", "BROKEN"]
GIGABYTE = 1e9


@dataclass(frozen=True)
class Line:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    said : str
        What was found.
    state : {"", "note", "BROKEN"}
        Whether it is as it should be; a note is no fault, what is needed and missing is broken.
    remedy : str
        What to do about it.
    """

    name: str
    said: str
    state: State = ""
    remedy: str = ""


def shown(text: str) -> str:
    """A text whose paths are without the home folder and the user's name."""
    home = re.escape(str(Path.home()))
    if home != "/":
        text = re.sub(rf"(?<![\w.-]){home}(?![\w.-])", "~", text)
    for name in map(re.escape, _names()):
        text = re.sub(rf"(?<=/){name}(?![\w.-])|(?<![\w.-]){name}(?=/)", "USER", text)
    return text


def gigabytes(n_bytes: float) -> str:
    """A size in GB."""
    return f"{n_bytes / GIGABYTE:.1f} GB"


def _names() -> set[str]:
    """What the user may be called in a path; `root` says nothing of anybody."""
    try:
        found = {getpass.getuser(), Path.home().name}
    except (OSError, KeyError):  # of a user without a name, as in containers
        found = {Path.home().name}
    return found - {"root", ""}
