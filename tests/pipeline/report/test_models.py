"""What the report says of the models: the verdict, their table, what the explorer opens on."""

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from pipeline.report.answer import Verdict
from pipeline.report.numbers import MINUS
from pipeline.report.opening import opening
from pipeline.report.page import render
from tests.pipeline.report.reading import CELL, TABLE_ROW


def test_the_table_of_models_has_r_before_bands(unmapped):
    """A phone shows the first columns."""
    section = unmapped.html.read_text().split('<section id="models">')[1]
    for table in section.split("<table>")[1:3]:
        heads = re.findall(r"<th[^>]*>([^<]*)</th>", table.split("</thead>")[0])
        assert heads.index("r") == heads.index("model") + 1
        assert heads[-1] == "bands"
        row = TABLE_ROW.findall(table)[1]
        assert row.count("<td") + row.count("<th") == len(heads)


def with_matchers(run, gains):
    """The run with a matcher for each gain, over its lag control by 0.001 to each side."""
    bands = [f"m{i}" for i in range(len(gains))]
    features = run.config["features"] | {b: {"kind": "ngram"} for b in bands}
    features |= {f"{b}lag": {} for b in bands}
    models = {f"{b}lag": ["drift", f"{b}lag"] for b in bands}
    models |= {b: ["drift", f"{b}lag", b] for b in bands}
    config = run.config | {"features": features, "models": run.config["models"] | models}
    rows = [
        run.gains.iloc[0].to_dict()
        | {"subject": "S1", "model": b, "over": f"{b}lag", "band": b, "gain": g, "gain_test": 0.01}
        | {"gain_lo": g - 0.001, "gain_hi": g + 0.001}
        for b, g in zip(bands, gains, strict=True)
    ]
    provenance = run.provenance | {"config": config}
    return replace(run, provenance=provenance, gains=pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("gains", "told"),
    [
        (
            [0.002, -0.0005, 0.003, -0.002, 0],
            [
                "Of 5 matchers 2 add to the prediction, above moments equally far back that are not"
                " alike: m2 +0.0030, m0 +0.0020",
                "Of 5 intervals about 0.1 would be above 0",
                f"Worse than with equally distant moments alone: m3 {MINUS}0.0020 *",
                f"Nothing that can be told from zero: m4 +0.0000 *, m1 {MINUS}0.0005 *",
            ],
        ),
        ([0] * 6, ["Of 6 matchers none add to the prediction, above moments equally far back"]),
    ],
    ids=["some", "none"],
)
def test_the_verdict_on_many_matchers_is_short(mapped, gains, told):
    html = render(with_matchers(mapped.run, gains))
    verdict = html.split('<div class="verdict')[1].split("</div>")[0]
    text = " ".join(unescape(re.sub("<[^>]*>", "", verdict)).split())
    for part in told:
        assert part in text


def test_the_first_table_of_models_has_the_means_of_the_subjects(unmapped):
    section = unmapped.html.read_text().split('<section id="models">')[1].split("</section>")[0]
    means, each, *_ = section.split("</table>")
    table = unmapped.run.summary.set_index("subject")
    for part, subject, other in ((means, "mean", "S2"), (each, "S2", "mean")):
        shown = {exact for exact, _ in CELL.findall(part)}
        assert {f"{r:.6f}" for r in table.loc[subject, "r_mean"]} <= shown
        assert not {f"{r:.6f}" for r in table.loc[other, "r_mean"]} & shown


@pytest.mark.parametrize(
    ("gains", "explored", "first"),
    [
        ({"ngram": 0.1, "gim": 0.2, "oracle": 0.3}, "base random ngram gim oracle", "gim"),
        ({"ngram": -0.1, "gim": -0.2}, "base gim ngram", "ngram"),
        ({"ngram": -0.1}, "base gim ngram", "ngram"),
        ({"random": 0.3, "oracle": 0.1}, "base random ngram gim oracle", "ngram"),
        ({"random": 0.3, "oracle": 0.1}, "base random oracle", "oracle"),
        ({}, "base random", "random"),
        ({}, "base", "base"),
    ],
    ids=["most", "least harm", "controlled", "honest", "told", "only", "no matches"],
)
def test_the_explorer_opens_on_the_matcher_that_gains_most(gains, explored, first):
    bands = {model: None if model == "base" else f"a{model}" for model in explored.split()}
    kinds = {f"a{kind}": kind for kind in ("random", "ngram", "gim", "oracle")}
    verdicts = [Verdict({"model": m, "band": f"a{m}", "gain": g}, "") for m, g in gains.items()]
    other = Verdict({"model": "gim", "band": "asecond", "gain": 0.9}, "")  # not what is shown
    assert opening(bands, kinds, [*verdicts, other]) == first
