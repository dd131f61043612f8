"""What is given by `--config` is what it would be in a file."""

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from pipeline.config.overrides import typed


def given(*entries, **file):
    """A file's configuration, overridden as Snakemake does it and then typed."""
    update_config(file, parse_config(list(entries)))
    return typed(file, entries)


@pytest.mark.parametrize(
    "value",
    [
        "{tr: 1.5}",
        "{trim: [8, 4], tr: 2}",
        "{a: {b: true, c: null, d: word, e: '1'}}",
        "[1, 2.5, word, {a: 3}]",
        "null",
        "4",
        "word",
        "s3://a/b",
    ],
)
def test_values_are_those_of_a_file(value):
    assert given(f"key={value}") == {"key": yaml.safe_load(value)}


def test_what_files_give_beside_them_stays():
    found = given("timing={tr: 1.5}", timing={"tr": 2.0, "trim": [1, 1], "note": "3"}, other="1.5")
    assert found == {"timing": {"tr": 1.5, "trim": [1, 1], "note": "3"}, "other": "1.5"}


def test_of_one_key_given_twice_both_parts_count():
    found = given("fit={n_folds: 3}", "fit={threads: 1, n_folds: 4}")
    assert found == {"fit": {"n_folds": 4, "threads": 1}}


def test_a_module_with_a_configuration_of_its_own_keeps_it():
    own = {"timing": {"tr": 2.0}, "name": "mine"}
    assert typed(own, ["timing={tr: 1.5}", "name=other", "colour=red"]) == own


def test_what_is_no_yaml_is_a_name():
    assert given("name=a: [") == {"name": "a: ["}
