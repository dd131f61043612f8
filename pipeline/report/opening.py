"""Which model the match explorer opens on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.report.answer import TRUTH, Verdict

LAST = ("random", TRUTH)  # kinds of matchers to open on only where there is no other


def opening(
    explored: Mapping[str, str | None], kinds: Mapping[str, str], verdicts: Sequence[Verdict]
) -> str:
    """The model whose matcher gains most over its lag control.

    Parameters
    ----------
    explored : mapping of model to band
        The explorer's models in their order, each with the matcher it shows, or None.
    kinds : mapping of band to str
        Kinds of the bands.
    verdicts : sequence of Verdict
        On matchers above their lag controls (`pipeline.report.answer`).

    Returns
    -------
    str
        Of models that no verdict tells apart the first; one that matches at random or is told the
        truth only if there is no other, one without matches only if there is no matcher.
    """
    gains = {(v.row["model"], v.row["band"]): v.row["gain"] for v in verdicts}

    def rank(model: str) -> tuple[int, float]:
        band = explored[model]
        gain = gains.get((model, band))
        if band is None:
            return 0, 0.0
        if kinds[band] in LAST:
            return 1 + LAST.index(kinds[band]), gain or 0.0
        return 1 + len(LAST) + (gain is not None), gain or 0.0

    return max(explored, key=rank)
