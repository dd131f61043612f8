"""How numbers are written in the report."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
NONE = "n/a"


def correlation(value: float) -> str:
    """Three decimals, a true minus sign."""
    return _text(value, "{:z.3f}")


def signed(value: float) -> str:
    """Four decimals, as gains may be small, and always a sign."""
    return _text(value, "{:+z.4f}")


def percent(value: float) -> str:
    """A share as percent."""
    return _text(100 * value, "{:z.1f} %")


def whole(value: float) -> str:
    """A count, which a table with gaps holds as a float."""
    return _text(value, "{:.0f}")


def duration(seconds: float) -> str:
    """Seconds as 12.3 s, 4 min 05 s or 2 h 03 min."""
    if not math.isfinite(seconds):
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )


def _text(value: float, form: str) -> str:
    """`form` (whose z takes the sign off what rounds to zero) with a true minus sign."""
    return form.format(value).replace("-", MINUS) if math.isfinite(value) else NONE


FILTERS = {
    "r": correlation,
    "signed": signed,
    "percent": percent,
    "whole": whole,
    "duration": duration,
}
