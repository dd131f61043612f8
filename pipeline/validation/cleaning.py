"""What is taken out of whole runs, and models that are made of these runs' past."""

from __future__ import annotations

from typing import Any

from pipeline.bands.registry import band_options
from pipeline.core.errors import Findings, some

CLEANING = ("high_pass", "detrend", "confounds")
OF_BOLD = ("responses", "matches")  # sources of bands
DRIFT = "drift"  # the kind that measures what the past of a whole run says of its future


def check_cleaning(config: dict[str, Any]) -> Findings:
    """Warn of models that have bands of past BOLD, where runs are cleaned whole.

    A filter, or a confound's weight, is fitted to all of a run: its past then knows a little of its
    future. Models that stand on the band `drift` have that beside them.
    """
    findings = Findings()
    cleaned = [key for key in CLEANING if config["responses"][key]]
    if not cleaned:
        return findings
    named = " and ".join(f"`responses.{key}`" for key in cleaned)
    for stand_on_drift in (True, False):
        models = [m for m in config["models"] if _stands_on_drift(config, m) is stand_on_drift]
        if not models:
            continue
        what = f"{named} are fitted to whole runs, so that past BOLD knows a little of its future"
        remedy = "nothing, as these models have the band `drift`, which measures that"
        if not stand_on_drift:
            remedy = "add the band `drift` to them and to what they are compared with"
        findings.warn("configuration", f"models {some(models, 20)}", what, remedy)
    return findings


def _stands_on_drift(config: dict[str, Any], model: str) -> bool | None:
    """Whether a model has the band that measures drift; None if it has no past BOLD."""
    bands = [band_options(config, band) for band in config["models"][model]]
    if not any(band.source in OF_BOLD for band in bands):
        return None
    return any(band.kind == DRIFT for band in bands)
