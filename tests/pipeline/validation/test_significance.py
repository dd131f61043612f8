"""Tests of significance that could show nothing are told of before they are made."""

import pytest

from pipeline.validation.contamination import contamination
from pipeline.validation.settings import check_settings
from pipeline.validation.validate import validate
from tests.helpers.datasets import N_ROWS


@pytest.mark.parametrize(
    ("scheme", "floors"),
    [("shift", ["r above 0 is below 0.0833", "models is below 0.125"]), ("block", ["0.125"])],
)
def test_a_smallest_p_above_alpha_is_a_warning(config, scheme, floors):
    """20 rows: 11 shifts, 4 blocks in 24 orders, swapped in 7 ways."""
    config["features"]["wordrate"] = {}
    config["models"]["more"] = ["eng1000", "wordrate"]
    config["statistics"] |= {"alpha": 0.07, "block": 5, "scheme": scheme}
    warnings = validate(config)
    assert len(warnings) == len(floors)
    for warning, floor in zip(warnings, floors, strict=True):
        assert f"of {N_ROWS} rows" in warning.what
        assert floor in warning.what
        assert "cannot be tested at 0.07" in warning.what
        assert "docs/data.md" in warning.remedy
    config["statistics"]["alpha"] = 0.2
    assert validate(config) == []


def test_differences_count_where_models_are_compared(config):
    config["statistics"] |= {"block": 20}
    assert validate(config) == []  # one model: nothing to swap
    config["models"]["again"] = ["eng1000"]
    (warning,) = validate(config)
    assert "no p of a difference between two models is below 1," in warning.what


def test_stories_of_all_subjects_count_once(config):
    config["subjects"] |= {"S2": {"exclude": []}}
    config["statistics"]["alpha"] = 0.05
    n_rows = dict.fromkeys([*config["stories"]["train"], *config["stories"]["test"]], N_ROWS)
    others = {"known": [], "texts": contamination(config, {})}
    assert len(check_settings(config, n_rows, {}, **others).warnings) == 1
    assert check_settings(config, {}, {}, **others).warnings == []
