"""Names are drawn in figures as they are written: dollar signs enclose no mathematics."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.mathtext import MathTextParser

from pipeline.maps.canvas import Canvas
from pipeline.maps.histograms import write_histograms
from pipeline.maps.scale import correlation_scale
from pipeline.regions.chart import write_chart
from pipeline.report.figures import Difference, distributions, forest, lines

NAMES = ["$\\frac{$", "$x^2$"]  # the first is no mathematics that matplotlib could read
R = np.linspace(-0.1, 0.4, 30)


def chart(name, path):
    table = pd.DataFrame({"region": [name, "b"], "gain": [0.1, 0.2], "delta_eng1000": [0.1, 0.2]})
    bounds = {f"{c}_{end}": table[c] for c in ("gain",) for end in ("lo", "hi")}
    bounds |= {f"delta_{end}": table["gain"] for end in ("lo", "hi")}
    table = table.assign(subject="mean", model=name, parcellation=name, over=name, **bounds)
    write_chart(table, path, models=[name], baseline="eng1000")


def histograms(name, path):
    write_histograms({name: R}, {name: [name]}, path=path, subject=name, baseline=name)


def canvas(name, path):
    Canvas(4, 3, correlation_scale([R])).save(path, name, name)


def differences(name, path):
    forest([Difference(name, 0.1, 0.0, 0.2)], name)


def panels(name, path):
    distributions({name: R}, name)


def curves(name, path):
    lines({name: [(1, 0.1, 0.0, 0.2), (2, 0.1, 0.0, 0.2)]}, name, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("draw", [chart, histograms, canvas, differences, panels, curves])
def test_names_are_no_mathematics(draw, name, tmp_path, monkeypatch):
    parsed = []
    parse = MathTextParser.parse

    def listening(self, text, *arguments, **options):
        parsed.append(text)
        return parse(self, "$x$", *arguments, **options)

    monkeypatch.setattr(MathTextParser, "parse", listening)
    draw(name, tmp_path / "figure.png")
    assert parsed == []
