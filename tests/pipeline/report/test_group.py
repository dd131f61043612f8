"""What the report says of all subjects together."""

from base64 import b64decode
from html import unescape

import numpy as np
import pandas as pd

from pipeline.report.group import _posteriors
from pipeline.report.numbers import correlation, percent, signed
from pipeline.tables.group import TOO_FEW
from tests.pipeline.report.reading import cells, section_of


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
