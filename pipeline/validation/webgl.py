"""Check that pycortex is there if its viewer is asked for."""

from __future__ import annotations

import importlib.util
from typing import Any

from pipeline.core.errors import Findings

PLACE = "maps.webgl"


def check_webgl(config: dict[str, Any]) -> Findings:
    """Check that the viewer that `maps.webgl` asks for can be made.

    Parameters
    ----------
    config : dict
        Complete configuration.
    """
    findings = Findings()
    if not config["maps"]["webgl"]:
        return findings
    if (config["mask"] or {}).get("pycortex") is None:
        what = "the viewer needs the subject's own surfaces, and the configuration names none"
        findings.problem("configuration", PLACE, what, "set mask.pycortex, or maps.webgl: false")
    if importlib.util.find_spec("cortex") is None:
        remedy = "pip install 'gim-encoding[pycortex]' (with a C compiler), or maps.webgl: false"
        findings.problem("configuration", PLACE, "pycortex is not installed", remedy)
    return findings
