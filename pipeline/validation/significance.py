"""Check that the tests of significance can be significant at all, before they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.models import compares
from pipeline.config.stories import test_stories
from pipeline.core.errors import Findings
from pipeline.statistics.floors import floor_of_difference, floor_of_r
from pipeline.statistics.options import TestOptions

_REMEDY = (
    "test longer or more stories or blocks (docs/data.md says how many rows it takes); gains.tsv, "
    "from the training stories, needs none of these tests"
)


def check_floors(config: dict[str, Any], n_rows: Mapping[str, int]) -> Findings:
    """Warn of tests whose smallest p, by the rows of a subject's test stories, is not below alpha.

    Parameters
    ----------
    config : dict
        Complete configuration.
    n_rows : mapping of str to int
        Rows of the stories that are known; subjects that heard another are left out.
    """
    findings, options = Findings(), TestOptions.read(config["statistics"])
    heard = {tuple(test_stories(config, subject)) for subject in config["subjects"]}
    for stories in sorted(heard):
        if not n_rows.keys() >= set(stories):
            continue
        rows = [n_rows[story] for story in stories]
        floors = {"of r above 0": floor_of_r(rows, options)}
        if compares(config):
            floors["of a difference between two models"] = floor_of_difference(rows, options)
        for test, floor in floors.items():
            if floor >= options.alpha:
                what = (
                    f"with test stories of {' + '.join(map(str, rows))} rows no p {test} is below "
                    f"{floor:.3g}, whatever the data: it cannot be tested at {options.alpha:g}"
                )
                findings.warn("configuration", "statistics", what, _REMEDY)
    return findings
