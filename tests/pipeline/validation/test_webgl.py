"""pycortex's viewer is asked for where it can be made, or one line says what is missing."""

import importlib.util

import pytest

from pipeline.validation.webgl import check_webgl

OWN = {"subject": "S1", "transform": "fullhead", "database": None}


@pytest.mark.parametrize(
    ("webgl", "mask", "installed", "told"),
    [
        (False, None, False, []),
        (True, {"pycortex": OWN}, True, []),
        (True, {"pycortex": OWN}, False, ["pycortex is not installed"]),
        (True, {"pycortex": None}, True, ["the configuration names none"]),
        (True, None, True, ["the configuration names none"]),
    ],
    ids=["not asked", "possible", "not installed", "no surfaces", "no mask"],
)
def test_what_the_viewer_needs(webgl, mask, installed, told, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
    found = check_webgl({"maps": {"webgl": webgl}, "mask": mask}).problems
    assert len(found) == len(told)
    for problem, text in zip(found, told, strict=True):
        assert problem.place == "maps.webgl" and text in problem.what
        assert "maps.webgl: false" in problem.remedy
