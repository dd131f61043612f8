"""What the report says: the numbers of the tables and of the fits, and nothing from outside."""

import re
import shutil
from base64 import b64decode
from dataclasses import asdict, replace
from html import unescape

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import NAMED
from pipeline.fit.file import Scores
from pipeline.matching.matches import Matching
from pipeline.report.answer import Verdict
from pipeline.report.citation import cited_works
from pipeline.report.group import _posteriors
from pipeline.report.numbers import MINUS, correlation, percent, signed
from pipeline.report.opening import opening
from pipeline.report.page import render
from pipeline.report.sweep import horizon_of
from pipeline.report.units import choose_units, region_voxels
from pipeline.tables.contamination import COLUMNS
from pipeline.tables.controls import CHUNKS, INTERSUBJECT
from pipeline.tables.gains import gains as all_gains
from pipeline.tables.group import TOO_FEW

TABLE_ROW = re.compile("<tr.*?</tr>", re.DOTALL)
CELL = re.compile(r'<td data-value="(-?[\d.]+|nan)"[^>]*>([^<]*)</td>')


def section_of(html, section):
    return html.split(f'<section id="{section}">')[1].split("</section>")[0]


def cells(html, section):
    """Numbers of a section: (exact, as shown)."""
    return CELL.findall(section_of(html, section))


@pytest.mark.parametrize("which", ["mapped", "unmapped"])
def test_every_number_is_one_of_the_tables(which, request):
    made = request.getfixturevalue(which)
    html = made.html.read_text()
    for section, names in [("answer", ["gains"]), ("models", ["summary", "gains"])]:
        text = "\t".join((made.folder / f"{name}.tsv").read_text() for name in names)
        written = set(re.split(r"[\t\n]", text))
        found = cells(html, section)
        assert len(found) >= 6
        for exact, shown in found:
            assert exact in written
            assert float(shown.replace(MINUS, "-")) == pytest.approx(float(exact), abs=5.1e-4)


def test_tables_and_report_are_what_the_fits_hold(unmapped):
    """One number followed from the HDF5 to the page."""
    with h5py.File(unmapped.run.fits["S2", "ngram"]) as file:
        r = float(np.mean(file["r"][:], dtype=np.float64))
    assert (f"{r:.6f}", f"{r:.3f}") in cells(unmapped.html.read_text(), "models")


def test_nothing_is_loaded_from_outside(mapped):
    html = mapped.html.read_text()
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html)
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", re.sub(r'"data:[^"]*"', "", html))


def test_equal_runs_give_equal_reports(mapped):
    assert render(mapped.run) == mapped.html.read_text()


def warnings_of(html):
    return re.findall(r'<p class="warning">(.*?)</p>', html, flags=re.DOTALL)


def test_a_fit_at_the_edge_of_its_alphas_is_named(mapped):
    warnings = warnings_of(mapped.html.read_text())
    assert [w for w in warnings if "S1, drift: 30.0 %" in w]
    assert not [w for w in warnings if "S1, ngram" in w]
    assert "a story is short" in warnings


def test_what_the_lexicons_know_is_told(mapped):
    html = mapped.html.read_text()
    section = html.split('<section id="fitting">')[1].split("</section>")[0]
    assert "Words that the lexicons know: 90.0 % to 90.0 % of a story's" in section
    row = 'x</th><td class="text">eng1000</td><td>80</td><td>90.0 %</td><td>40</td><td>85.0 %</td>'
    assert row in section
    assert "lexicons" not in render(replace(mapped.run, coverage=()))


def test_fits_at_the_edge_of_their_alphas_are_one_line_with_counts(unmapped):
    fits = {key: path.with_suffix(".edge.h5") for key, path in unmapped.run.fits.items()}
    for number, (key, path) in enumerate(fits.items()):
        shutil.copy(unmapped.run.fits[key], path)
        with h5py.File(path, "r+") as file:
            file.attrs["alpha_at_max"], file.attrs["alpha_at_min"] = 0.5 + number / 20, 0.2
    (edges,) = [
        " ".join(unescape(re.sub("<[^>]*>", "", w)).split())
        for w in warnings_of(render(replace(unmapped.run, fits=fits)))
        if "regularisation" in w
    ]
    assert "In 10 of 10 fits" in edges
    assert "at the smallest alpha in 10, at the largest in 10" in edges
    assert "most in S2, random: 95.0 %" in edges


def test_the_table_of_models_has_r_before_bands(unmapped):
    """A phone shows the first columns."""
    section = unmapped.html.read_text().split('<section id="models">')[1]
    for table in section.split("<table>")[1:3]:
        heads = re.findall(r"<th[^>]*>([^<]*)</th>", table.split("</thead>")[0])
        assert heads.index("r") == heads.index("model") + 1
        assert heads[-1] == "bands"
        row = TABLE_ROW.findall(table)[1]
        assert row.count("<td") + row.count("<th") == len(heads)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (signed(-1e-6), "+0.0000"),
        (signed(-0.0021), f"{MINUS}0.0021"),
        (correlation(-1e-4), "0.000"),
        (percent(-1e-5), "0.0 %"),
    ],
)
def test_what_rounds_to_zero_has_no_minus(written, expected):
    assert written == expected


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


def test_of_few_voxels_the_report_says_why_there_is_no_best_tenth(unmapped):
    summary = unmapped.run.summary.assign(r_top10_test=np.nan, r_top10_cv=np.nan)
    html = " ".join(render(replace(unmapped.run, summary=summary)).split())
    assert "n/a, as of fewer than 100 voxels or regions the best tenth says little" in html
    assert "in all of them" in html
    assert "n/a, as of fewer than 100" not in unmapped.html.read_text()


def test_bands_left_out_are_no_alphas(mapped):
    row = mapped.html.read_text().split('<section id="fitting">')[1]
    assert "<td>100</td><td>25.0 %</td>" in row


def test_what_subjects_have_in_common_has_the_numbers_of_its_table(unmapped, mapped):
    html = unmapped.html.read_text()
    assert "nan" not in section_of(html, "group")
    table = unmapped.run.group
    found = [float(exact) for exact, _ in cells(html, "group")]
    np.testing.assert_allclose(np.sort(found), np.sort(table["mean"]))
    for row in table.to_dict("records"):
        assert f"<td>{row['n_positive']} of 2</td>" in html
        ends = f"{percent(row['prevalence_lo'])} to {percent(row['prevalence_hi'])}"
        assert f"<td>{percent(row['prevalence'])}</td><td>{ends}</td>" in html
        assert f"{signed(row['subj_lo'])} to {signed(row['subj_hi'])}" in html
    text = unescape(section_of(html, "group"))
    assert TOO_FEW in text
    assert "no clusters: no <mesh>" in text
    assert "By region: areas" in text
    assert 'data-show="mean where cluster p &lt; 0.05, minus eng1000"' in html
    assert '<section id="group">' not in mapped.html.read_text()


def test_intervals_over_subjects_stand_in_the_table_of_models(unmapped, mapped):
    html = section_of(unmapped.html.read_text(), "models")
    assert html.count("95 % over subjects") == 2
    means = unmapped.run.summary.query("subject == 'mean'").set_index("model")
    ngram, base = means.loc["ngram"], means.loc["eng1000"]
    assert f"<td>{signed(ngram['subj_lo'])} to {signed(ngram['subj_hi'])}</td>" in html
    own = f"<td>{correlation(base['r_subj_lo'])} to {correlation(base['r_subj_hi'])}</td>"
    assert own in html
    assert "over subjects" not in section_of(mapped.html.read_text(), "models")


def test_of_many_comparisons_the_posteriors_are_those_of_the_first():
    rows = pd.DataFrame(
        {
            "label": [f"model {i}" for i in range(9)],
            "n_positive": range(9),
            "n_tested": 12,
            "alpha": 0.05,
            "prevalence": [0.1] * 8 + [np.nan],
        }
    )
    picture = b64decode(_posteriors(rows).partition(",")[2]).decode()
    assert "model 6" in picture
    assert "model 7" not in picture
    assert _posteriors(rows[rows["prevalence"].isna()]) is None


def test_other_sections_have_the_numbers_of_their_tables(mapped):
    html = mapped.html.read_text()
    assert ("0.800000", "0.800") in cells(html, "statistics")
    section = html.split('<section id="statistics">')[1].split("</section>")[0]
    assert "other than ngramlag: 3 (2.5 %)" in section
    assert "word &amp; match" in section
    assert ("0.010000", "0.010") in cells(html, "regions")
    assert "3 more regions are in" in html


def test_what_excites_each_place_stands_with_its_timing(mapped, unmapped):
    """Ten words at either end, escaped; models whose voxels are too few say so."""
    html = mapped.html.read_text()
    section = html.split('<section id="tuning">')[1].split("</section>")[0]
    assert ("6.250000", "6.2") in cells(html, "tuning")
    assert "eng1000: 3 axes of meaning above chance" in section
    most = ", ".join(f"most{i} of &lt;B&gt;" for i in range(1, 11))
    assert f'<td class="text">{most}</td>' in section
    assert "most11" not in section
    assert section.count("data:image/webp;base64,") == 2 * len(mapped.run.maps)
    assert "4 voxels are predicted" in section
    assert 'id="tuning"' not in unmapped.html.read_text()


def test_tests_that_cannot_be_significant_are_not_counted(mapped):
    """With a smallest p of 0.0625, 0 of 120 voxels would be no finding."""
    table, parts = mapped.run.significance.copy(), mapped.run.partition.copy()
    contrasts = table["test"] == "contrast"
    table[["n_fdr", "n_fwer"]] = table[["n_fdr", "n_fwer"]].astype(float)
    table.loc[contrasts, ["n_fdr", "fraction_fdr", "n_fwer"]] = np.nan
    table.loc[contrasts, "p_floor"] = 0.0625
    parts["n_fdr"] = np.nan
    html = render(replace(mapped.run, significance=table, partition=parts))
    section = html.split('<section id="statistics">')[1].split("</section>")[0]
    rows = [unescape(re.sub("<[^>]*>", " ", row)).split() for row in TABLE_ROW.findall(section)]
    (row,) = [row for row in rows if "ngramlag:" in row]
    assert " ".join(row).endswith("cannot be tested other than ngramlag: cannot be tested")
    (part,) = [row for row in rows if "unique" in row]
    assert " ".join(part).endswith("cannot be tested")
    (shared,) = [row for row in rows if "shared" in row]
    assert shared[-1] == "n/a"
    assert "no p can be below 0.05" in section
    assert "no p can be below" not in mapped.html.read_text()
    assert "takes at least 25 of 120 voxels" in " ".join(
        section.split()
    )  # of r, whose smallest p is 0.01


def test_horizons_of_several_runs_are_shown_together(mapped, unmapped):
    found = cells(mapped.html.read_text(), "sweep")
    gain = mapped.run.gains.query("subject == 'S1' and band == 'ngram'")["gain"].item()
    assert (f"{gain:.6f}", f"{gain:+.4f}") in found
    assert ("0.000000", "+0.0000") in found
    section = mapped.html.read_text().split('<section id="sweep">')[1].split("</section>")[0]
    assert section.count("<figure>") == 2  # matchers gain less than drift, and have their own
    html = unmapped.html.read_text()
    assert '<section id="sweep">' not in html
    assert "no band was made with two" in html


def test_texts_and_the_stories_in_them_are_shown(unmapped):
    """And what bands gain without these stories; nothing of either where no text is known."""
    html = unmapped.html.read_text()
    assert 'id="texts"' not in html and "without known stories" not in html
    known = [("talks.jsonl", "eng1000", "a", "train", 0.97), ("big/model", "llm", None, None, None)]
    run = replace(
        unmapped.run,
        contamination=pd.DataFrame(known, columns=COLUMNS).astype({"share": float}),
        gains=all_gains(unmapped.run.fits, unmapped.run.config["models"], "eng1000", ["a"]),
    )
    html = render(run)
    section = html.split('<section id="texts">')[1].split("</section>")[0]
    assert "talks.jsonl" in section and "a (train) 97.0 %" in section
    assert "big/model" in section and "its text is not here" in section
    clean = run.gains.query("subject == 'mean' and band == 'ngram'")["gain_clean"].item()
    assert (f"{clean:.6f}", f"{clean:+.4f}") in cells(html, "models")


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


def test_what_is_not_there_is_said_with_the_reason(unmapped):
    absent = unmapped.html.read_text().split("What is not here, and why")[1].split("</ul>")[0]
    assert "S1, S2: no story was repeated" in absent
    for section in ("Maps", "Regions", "Variance partitioning", "Horizons"):
        assert f"<b>{section}</b>" in absent


def test_the_works_to_cite_are_those_of_the_citation_file(mapped):
    text = unescape(mapped.html.read_text().split('id="citation"')[1])
    for work in cited_works():
        assert work["title"] in text
        assert work["doi"] in text
    assert len(cited_works()) > 3


def test_the_data_are_cited_as_the_configuration_says(mapped):
    """ds003020 is somebody's data, not anybody's."""
    assert "ds003020" not in unescape(mapped.html.read_text().split('id="citation"')[1])
    config = mapped.run.config | {"citation": ["Doe & Roe (2031). <Our> stories."]}
    html = render(replace(mapped.run, provenance=mapped.run.provenance | {"config": config}))
    assert "<li>Doe &amp; Roe (2031). &lt;Our&gt; stories.</li>" in html.split('id="citation"')[1]


@pytest.mark.parametrize(
    ("blocks", "folds"),
    [
        ({}, "whole stories"),
        ({"a": {"n": 2, "gap": 9}}, "whole stories and blocks"),
        ({"a": {"n": 2, "gap": 9}, "b": {"n": 2, "gap": 9}}, "whole blocks"),
    ],
    ids=["stories", "both", "blocks"],
)
def test_folds_are_called_what_they_are(mapped, blocks, folds):
    config = mapped.run.config | {"blocks": blocks}
    config["stories"] = {"train": ["a-1", "a-2", "b-1"] if blocks else ["a", "b"], "test": ["x"]}
    html = render(replace(mapped.run, provenance=mapped.run.provenance | {"config": config}))
    assert f"3 folds of {folds}, each band" in html  # how it was fitted
    assert f"(3 folds of {folds}; horizon" in html  # to cite


PUBLISHED = asdict(Matching(delays=(1, 2), horizon=2))


@pytest.mark.parametrize(
    ("options", "horizon"),
    [
        (BandOptions("eng1000"), None),
        (BandOptions("ngram", own=PUBLISHED), 2),
        (BandOptions("ngram", own=PUBLISHED | {"min_lag": 4}), 2),
        (BandOptions("ngram", own=PUBLISHED | {"min_lag": 30}), 28),
        (BandOptions("ar", own={"horizon": 5}), 5),
    ],
    ids=["no BOLD", "published", "published, as a lag", "long lag", "no lags"],
)
def test_the_newest_bold_that_a_band_uses(options, horizon):
    assert horizon_of(options) == horizon


def test_controls_are_shown_with_their_warnings(unmapped):
    """Every number of their tables, and that shuffled chunks are no result."""
    chunk = ["S1", "eng1000", 20, 0.1111, 0.2222, 0.1112, 0.1, 0.12, "shuffled: no result"]
    heard = {"subject": "S1", "story": "x", "n_presentations": 3, "n_voxels": 24}
    numbers = {"r_mean": 0.3331, "r_first": 0.1441, "r_single": 0.1551}
    gain = {"gain_mean": 0.0771, "gain_single": 0.0081, "note": "copies BOLD that is cleaner"}
    nothing = {"gain_mean": np.nan, "gain_single": np.nan, "note": None}
    other = ["S1", "eng1000", "aligned", 1, "x+y", 24, 0.4441, 0.2221, 0.5001]
    shares = [
        {"subject": "S1", "model": "ngram", "parcellation": "voxels", "region": "top 10 %"}
        | {"n_voxels": 3, "band": band, "r2": 0.01, "fraction": 0.25}
        for band in ("eng1000", "drift", "ngramlag", "ngram")
    ]
    html = render(
        replace(
            unmapped.run,
            kept={"S1": 0.834},
            shares=pd.DataFrame(shares),
            controls={
                "chunks": pd.DataFrame([chunk], columns=CHUNKS),
                "presentations": pd.DataFrame(
                    [
                        heard | numbers | nothing | {"model": "eng1000"},
                        heard | numbers | gain | {"model": "drift"},
                    ]
                ),
                "intersubject": pd.DataFrame([other], columns=INTERSUBJECT),
            },
        )
    )
    exact = {number for number, _ in cells(html, "statistics")}
    shown = {0.1111, 0.2222, 0.1112, 0.3331, 0.1441, 0.1551, 0.0771, 0.0081, 0.4441, 0.2221}
    assert {f"{number:.6f}" for number in shown} <= exact
    assert "shuffled: no result" in html and "copies BOLD that is cleaner" in html
    assert "Where it comes from" in html and "83" in html.split('id="fitting"')[1][:2000]
    for heading in ("What shuffled chunks", "Where it comes from", "Beside other listeners"):
        assert heading not in unmapped.html.read_text()
