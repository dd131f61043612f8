"""What the report says of regions and of single voxels."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.dataset.dataset import NAMED
from pipeline.fit.file import Scores
from pipeline.report.numbers import MINUS
from pipeline.report.page import render
from pipeline.report.units import choose_units, region_voxels


def test_voxels_to_choose_say_how_much_is_gained():
    """Also where nothing is, or r falls: the best of them may lose."""
    n = np.zeros((3, 6))
    base, model = np.full(6, 0.3), np.full(6, 0.3) - [1e-5, 1e-3, 0.2, 0.3, 0.4, -0.0125]
    scores = {
        name: Scores(["b"], list("abc"), r, r, r, n) for name, r in (("base", base), ("m", model))
    }
    units = choose_units(scores, over={"m": "base"}, baseline="base", regions={})
    assert [unit.label for unit in units[:3]] == [
        "voxel 5 (out-of-fold r changes by +0.0125)",
        "voxel 0 (out-of-fold r changes by +0.0000)",
        f"voxel 1 (out-of-fold r changes by {MINUS}0.0010)",
    ]


def test_vertices_to_choose_are_called_so():
    r, n = np.array([0.1, 0.3]), np.zeros((3, 2))
    units = choose_units(
        {"base": Scores(["b"], list("abc"), r, r, r, n)}, over={}, baseline="base",
        regions={"V1": np.arange(2)}, called=("vertex", "vertices"),
    )  # fmt: skip
    assert [unit.label for unit in units] == [
        "vertex 1 (out-of-fold r 0.300)", "vertex 0 (out-of-fold r 0.100)",
        "V1 (mean of 2 vertices)",
    ]  # fmt: skip


def test_regions_to_choose_have_their_names():
    r, n = np.array([0.1, 0.3]), np.zeros((3, 2))
    scores = {"base": Scores(["b"], list("abc"), r, r, r, n)}
    named = ["AG", "STG"]
    units = choose_units(
        scores, over={}, baseline="base", regions=region_voxels({NAMED: np.array(named)}),
        names=named,
    )  # fmt: skip
    assert [unit.label for unit in units] == [
        "STG (out-of-fold r 0.300)", "AG (out-of-fold r 0.100)", "region AG", "region STG",
    ]  # fmt: skip


def test_regions_of_responses_are_shown_by_name_and_those_that_some_lack_are_told(unmapped):
    keys = [("S1", "STG"), ("S2", "STG"), ("S1", "V1"), ("mean", "STG"), ("mean", "V1")]
    table = pd.DataFrame(
        [(s, "eng1000", NAMED, region, 1, 0.25, 0.0, np.nan) for s, region in keys],
        columns=[
            "subject",
            "model",
            "parcellation",
            "region",
            "n_voxels",
            "r_mean",
            "delta_eng1000",
            "over",
        ],
    ).assign(gain=np.nan, gain_lo=np.nan, gain_hi=np.nan)
    html = render(replace(unmapped.run, regions=table))
    section = html.split('<section id="regions">')[1].split("</section>")[0]
    assert re.findall(r"<th>(\w+)</th>", section) == ["STG", "V1"] * 2  # the mean's, and each's
    assert "Not in all 2 subjects: <b>V1</b> (1)" in " ".join(section.split())


def test_regions_have_the_gain_over_the_lag_control(mapped):
    """The clear one is marked; models without a control are not in the table."""
    section = mapped.html.read_text().split('<section id="regions">')[1].split("</table>")[0]
    assert re.findall(r'class="text">(\w+)</th><td class="text">(\w+)<', section) == [
        ("ngram", "ngramlag")
    ]
    assert '<td data-value="0.002000">+0.0020</td>' in section
    assert '<td data-value="0.070000" class="clear">+0.0700</td>' in section
    assert "The 12 regions" not in section


def test_of_many_regions_those_predicted_best_are_shown(mapped):
    html = mapped.html.read_text()
    heads = re.findall(r"<th>(area \d+)</th>", html)
    assert heads == [f"area {i}" for i in range(3, 15)] * 2
    assert "the 12 regions predicted best; 3 more" in html
