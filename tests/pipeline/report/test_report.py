"""What the report says: the numbers of the tables and of the fits, and nothing from outside."""

import re
import shutil
from dataclasses import asdict, replace
from html import unescape

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.bands.registry import BandOptions
from pipeline.matching.matches import Matching
from pipeline.report.citation import cited_works
from pipeline.report.numbers import MINUS, correlation, percent, signed
from pipeline.report.page import render
from pipeline.report.sweep import horizon_of
from pipeline.tables.contamination import COLUMNS
from pipeline.tables.controls import CHUNKS, INTERSUBJECT
from pipeline.tables.gains import gains as all_gains
from tests.pipeline.report.reading import TABLE_ROW, cells, warnings_of


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
    named = re.findall(r'<(\w+)\b[^>]*?\b(?:src|href)="(?!#|data:)([^"]*)"', html)
    assert {tag for tag, _ in named} == {"a"}  # the maps' views, in files beside it
    assert not [url for _, url in named if "://" in url]
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", re.sub(r'"data:[^"]*"', "", html))


def test_equal_runs_give_equal_reports(mapped):
    assert render(mapped.run) == mapped.html.read_text()


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


def test_of_few_voxels_the_report_says_why_there_is_no_best_tenth(unmapped):
    summary = unmapped.run.summary.assign(r_top10_test=np.nan, r_top10_cv=np.nan)
    html = " ".join(render(replace(unmapped.run, summary=summary)).split())
    assert "n/a, as of fewer than 100 voxels or regions the best tenth says little" in html
    assert "in all of them" in html
    assert "n/a, as of fewer than 100" not in unmapped.html.read_text()


def test_bands_left_out_are_no_alphas(mapped):
    row = mapped.html.read_text().split('<section id="fitting">')[1]
    assert "<td>100</td><td>25.0 %</td>" in row


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
