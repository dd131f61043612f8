"""The table of damages as a document: python -m tests.fuzz.table writes docs/robustness.md."""

from __future__ import annotations

from itertools import groupby

from tests.conftest import REPOSITORY
from tests.fuzz import (  # noqa: F401
    atlases,
    causal,
    configs,
    corpora,
    eng1000,
    grayordinates,
    hdf5,
    images,
    masks,
    models,
    names,
    pieces,
    responses,
    runs,
    surfaces,
    swept,
    tables,
    textgrids,
    weighing,
)
from tests.fuzz.registry import DAMAGES, Damage

PAGE = REPOSITORY / "docs" / "robustness.md"
HEAD = """# What damaged input is answered with

Every reader is tried on damaged copies of sound files, which the simulation and the tests write.
Each kind of damage has one of three answers: the input is refused with one message that names
the file, the place and what to do; it is read with a warning; or it is read as if nothing had
happened to it. None may end in a traceback, a crash or a wrong number. The words of the messages
are those that the tests look for (`tests/fuzz/`, from which this page is generated).
"""


def answer(kind: Damage) -> str:
    """What is done about a damage."""
    if kind.refused is not None:
        return f'refused: "{kind.refused}"'
    return f'warning: "{kind.warned}"' if kind.warned else "read as without it"


def page() -> str:
    """The whole document."""
    ordered = sorted(DAMAGES, key=lambda kind: kind.specimen.name)
    parts = [HEAD, f"{len(DAMAGES)} kinds of damage:\n"]
    for name, kinds in groupby(ordered, key=lambda kind: kind.specimen.name):
        rows = [f"| {kind.description} | {answer(kind)} |" for kind in kinds]
        parts.append("\n".join([f"## {name}\n", "| damage | answer |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
