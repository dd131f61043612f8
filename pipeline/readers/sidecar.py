"""The JSON beside a run's image: repetition time, and the time that its volumes stand for.

See BIDS 1.10, Magnetic resonance imaging: `RepetitionTime`, and of derivatives `StartTime`, which
fMRIPrep writes where slice timing was corrected: the time of the first volume, seconds from the
start of its acquisition.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import file_problem

TR_TOLERANCE = 0.01  # relative; ds003020's nominal 2 s are 2.0045 s
LONGEST_TR = 30.0  # seconds; the most that `timing.tr` may be
_ENDINGS = (".nii.gz", ".dtseries.nii", ".func.gii", ".nii", ".gii")


@dataclass(frozen=True)
class Sidecar:
    """What the sidecar of a run says.

    Parameters
    ----------
    path : Path or None
        The file; None if there is none.
    tr : float or None
        Repetition time, seconds.
    start_time : float or None
        Time that the first volume stands for, seconds from the start of its acquisition.
    """

    path: Path | None = None
    tr: float | None = None
    start_time: float | None = None


def sidecar_path(image: str | Path) -> Path | None:
    """Where the sidecar of an image lies; None of files that have none."""
    name = Path(image).name
    ending = next((e for e in _ENDINGS if name.lower().endswith(e)), None)
    return Path(image).with_name(name[: -len(ending)] + ".json") if ending else None


def sidecar_of(image: str | Path) -> Sidecar:
    """What the sidecar of an image says, nothing where there is none.

    Raises
    ------
    ProblemError
        If it is not JSON (or not fetched), or a time in it is no number of seconds.
    """
    path = sidecar_path(image)
    if path is None or not os.path.lexists(path):
        return Sidecar()
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        what = f"not JSON ({error})"
        raise ProblemError(Problem(path, "", what, "fetch or copy the file again")) from error
    tr, start = (_seconds(path, found, key) for key in ("RepetitionTime", "StartTime"))
    if start is not None and not 0 <= start <= LONGEST_TR:
        what = f"{start:g} s is no time within a volume"
        raise ProblemError(Problem(path, "StartTime", what, "give seconds, not milliseconds"))
    return Sidecar(path, tr, start)


def _seconds(path: Path, found: dict[str, Any], key: str) -> float | None:
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        what = f"{value!r} is no number of seconds"
        raise ProblemError(Problem(path, key, what, "correct or remove it"))
    return float(value)


def check_tr(image: str | Path, in_header: float | None, expected: float | None) -> None:
    """Raise unless header and sidecar (those that say one) and `expected` are one repetition time.

    Parameters
    ----------
    image : path
        The run.
    in_header : float or None
        Seconds; 0 or None says nothing.
    expected : float or None
        `timing.tr`, seconds; None asks for nothing.

    Raises
    ------
    ProblemError
        If two of them differ by more than `TR_TOLERANCE`.
    """
    sidecar = sidecar_of(image)
    if in_header and sidecar.tr and _differ(in_header, sidecar.tr):
        what = f"the header's repetition time is {in_header:g} s, the sidecar's {sidecar.tr:g} s"
        remedy = f"correct the one that is wrong: the sidecar is {sidecar.path}"
        raise ProblemError(Problem(image, "header", what, remedy))
    if expected:
        for stated, where in ((in_header, "header"), (sidecar.tr, "sidecar")):
            if stated and _differ(stated, expected):
                what = (
                    f"the {where}'s repetition time is {stated:g} s, `timing.tr` is {expected:g} s"
                )
                remedy = f"correct `timing.tr`, or the {where} if that is wrong"
                raise ProblemError(Problem(image, where, what, remedy))


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > TR_TOLERANCE * other
