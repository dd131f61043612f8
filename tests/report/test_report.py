"""What the report says: the numbers of the tables and of the fits, and nothing from outside."""

import re

import h5py
import numpy as np
import pytest

from pipeline.report import render
from pipeline.report.numbers import MINUS

CELL = re.compile(r'<td data-value="(-?[\d.]+|nan)"[^>]*>([^<]*)</td>')


def cells(html, section):
    """Numbers of a section: (exact, as shown)."""
    part = html.split(f'<section id="{section}">')[1].split("</section>")[0]
    return CELL.findall(part)


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


def test_a_fit_at_the_edge_of_its_alphas_is_named(mapped):
    html = mapped.html.read_text()
    warnings = re.findall(r'<p class="warning">(.*?)</p>', html, flags=re.DOTALL)
    assert [w for w in warnings if "S1, drift: 30.0 %" in w]
    assert not [w for w in warnings if "S1, ngram" in w]
    assert "a story is short" in warnings
