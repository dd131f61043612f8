"""What every rule asks of a cluster."""

import re

import pytest

from tests.conftest import REPOSITORY

RULES = [
    (path.stem, *found)
    for path in sorted((REPOSITORY / "pipeline" / "rules").glob("*.smk"))
    for found in re.findall(
        r"^ *rule (\w+):\n(.*?)(?=^ *rule \w+:|\Z)", path.read_text(), re.M | re.S
    )
]


@pytest.mark.parametrize("text", [rule[2] for rule in RULES], ids=[rule[1] for rule in RULES])
def test_memory_and_time_grow_at_every_retry(text):
    assert "mem_mb=memory(" in text
    assert "runtime=minutes(" in text


def test_all_rules_are_seen():
    assert {"simulate", "validate", "fit_share", "report", "distill"} <= {rule[1] for rule in RULES}
