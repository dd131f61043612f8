"""What every rule asks of a cluster, and that docs/cluster.md says so."""

import re
from typing import NamedTuple

import pytest

from tests.conftest import REPOSITORY

RULES = [
    (path.stem, *found)
    for path in sorted((REPOSITORY / "workflow" / "rules").glob("*.smk"))
    for found in re.findall(
        r"^ *rule (\w+):\n(.*?)(?=^ *(?:use )?rule \w+|\Z)", path.read_text(), re.M | re.S
    )
]
SAME_AS = {  # rules that take the resources of another one
    (new, old)
    for path in (REPOSITORY / "workflow" / "rules").glob("*.smk")
    for old, new in re.findall(r"^ *use rule (\w+) as (\w+) with:", path.read_text(), re.M)
}
HOURS = {"min": 1 / 60, "h": 1.0}


class Asked(NamedTuple):
    """Processors, memory (GB), time (hours) and whether a GPU, numbers as (least, most)."""

    threads: object
    memory: object
    time: object
    gpu: bool


def asked(text):
    """What the text of a rule asks for; settings as `fit.threads`."""

    def value(pattern):
        found = re.search(pattern, text)[1]
        setting = re.fullmatch(r'CONFIG\["(\w+)"\]\["(\w+)"\]', found)
        return ".".join(setting.groups()) if setting else (float(found),) * 2

    hours = tuple(minutes / 60 for minutes in value(r"runtime=minutes\((.+)\),"))
    return Asked(value(r"threads: (.+)"), value(r"mem_mb=memory\((.+)\),"), hours, "gpu=" in text)


def stated(cells):
    """What a row of the table says: "4 h", "1 to 4", "`fit.threads`"."""

    def value(cell):
        if cell.startswith("`"):
            return cell.strip("`")
        numbers = [float(n) * HOURS.get(unit, 1) for n, unit in re.findall(r"(\d+) ?(\w*)", cell)]
        return numbers[0], numbers[-1]

    threads, memory, time, gpu = cells
    return Asked(value(threads), value(memory), value(time), gpu.startswith("one"))


def within(found, said):
    """Whether what is asked for lies in what is said."""
    if isinstance(found, tuple) and isinstance(said, tuple):
        return said[0] <= found[0] + 1e-9 and found[1] <= said[1] + 1e-9
    return found == said


def rows_of(page):
    """Names of rules in a row (none: all others), and what it says."""
    table = page.partition("## What jobs ask for")[2].partition("\n\nA job")[0]
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    for first, *cells in lines[2:]:
        yield re.findall(r"`(\w+)`", first), stated([cell.strip() for cell in cells])


def untold(page, rules):
    """Rules whose resources no row of the page states."""
    rows = list(rows_of(page))
    named = {name for names, _ in rows for name in names}
    for name, text in rules:
        own = [said for names, said in rows if name in names or (not names and name not in named)]
        if not any(all(map(within, asked(text), said)) for said in own):
            yield name


def all_rules():
    """Names and texts, those that are others' copies as well."""
    rules = [(name, text) for _, name, text in RULES]
    return rules + [(new, text) for new, old in SAME_AS for name, text in rules if name == old]


@pytest.mark.parametrize("text", [rule[2] for rule in RULES], ids=[rule[1] for rule in RULES])
def test_memory_and_time_grow_at_every_retry(text):
    assert "mem_mb=memory(" in text
    assert "runtime=minutes(" in text


def test_wildcards_are_names_of_the_configuration():
    folder = REPOSITORY / "workflow" / "rules"
    common = (folder / "common.smk").read_text().partition("wildcard_constraints:")[2]
    everywhere = set(re.findall(r"^    (\w+)=one_of\(", common, re.M))
    for _, name, text in RULES:
        own = set(re.findall(r"^ {8,12}(\w+)=one_of\(", text, re.M))
        used = set(re.findall(r"\{\{(\w+)\}\}", text.partition("output:")[2].partition("log:")[0]))
        assert used <= everywhere | own, name
    sources = {
        name: text for _, name, text in RULES if re.search(r"\{\{band\}\}(_matches)?\.", text)
    }
    made = ("stimulus", "match", "recording", "response", "recalled")
    memory = {"contexts", "recall"}
    assert {"matches", *memory, *(f"{name}_features" for name in made)} == set(sources)
    for name, text in sources.items():
        assert f"band=one_of({'searching_bands()' if name in memory else 'bands_from('}" in text


def test_all_rules_are_seen():
    assert {"simulate", "validate", "fit_chunk", "report", "distill"} <= {rule[1] for rule in RULES}
    assert ("fit_model", "fit_chunk") in SAME_AS


def test_the_page_on_clusters_states_what_every_rule_asks_for():
    page = (REPOSITORY / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert list(untold(page, all_rules())) == []
    assert {name for names, _ in rows_of(page) for name in names} <= {r for r, _ in all_rules()}


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("`lm_index` | 1 | 4 | 4 h", "`lm_index` | 1 | 4 | 2 h", ["lm_index"]),
        ("`lm_index` | 1 | 4 | 4 h", "`index` | 1 | 4 | 4 h", ["lm_index"]),
        ("`partition` | 1 | 2", "`partition` | 1 | 3", ["partition"]),
        ("`gram` | `fit.threads`", "`gram` | 1", ["gram"]),
        ("| 24 h | one,", "| 24 h | none,", ["pretrain", "distill"]),
        ("1 to 4 | 10 min", "2 to 4 | 10 min", ["words"]),
        ("2 | 30 min", "2 | 20 min", ["fit_model"]),
    ],
)
def test_a_wrong_row_is_seen(old, new, wrong):
    page = (REPOSITORY / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert old in page
    assert list(untold(page.replace(old, new, 1), all_rules())) == wrong
