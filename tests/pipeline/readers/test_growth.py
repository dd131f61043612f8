"""Reading twice as much takes about twice the steps, counted, whatever is in it."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from pipeline.core.errors import Findings
from pipeline.dataset.dataset import Dataset
from pipeline.readers import delimited, textgrid, words
from pipeline.validation import region_names, volumes
from tests.helpers.datasets import long_textgrid

SMALL = 200
OPENING = re.compile(r"[\[{(<]")
TWICE = 3.0  # times the steps for twice as much: 2 where they grow in line, 4 as the square


class Name(str):
    """A name that counts how often it is compared with another."""

    __hash__ = str.__hash__
    compared = 0

    def __eq__(self, other):
        Name.compared += 1
        return str.__eq__(self, other)

    def strip(self):
        return Name(str.strip(self))


def names(n):
    return [Name(f"v{i}") for i in range(n)]


def comparisons(work, n):
    """How often names are compared in work on `n` of them."""
    given, Name.compared = names(n), 0
    work(given)
    return 1 + Name.compared


def columns(given):
    """Read a table with columns of these names, as if its lines were cut into cells already."""
    with pytest.MonkeyPatch.context() as patch:
        cells = [given, ["0.5"] * len(given), ["0.25"] * len(given)]
        patch.setattr(delimited, "_cells", lambda path, text: ([1, 2, 3], cells))
        delimited.read_delimited(__file__)


def stories(given):
    volumes._unique(Path("respdict.json"), Findings(), [(name, 300) for name in given])


def regions(given):
    """Compare the names of a table with others that share none."""
    region_names._difference(given, (Path("other.csv"), names(len(given) + 1)[::-1]))


@pytest.mark.parametrize("work", [columns, stories, regions])
def test_names_are_compared_a_few_times_each(work):
    few, many = comparisons(work, SMALL), comparisons(work, 2 * SMALL)
    assert many < TWICE * few + 10 * SMALL


class Counted:
    """A pattern that counts the characters that a search by it passes over, again and again."""

    def __init__(self, pattern, steps):
        self.pattern, self.passed, self.steps = pattern, 0, steps

    def __getattr__(self, name):
        def call(*arguments):
            self.passed += self.steps(arguments[-1])
            return getattr(self.pattern, name)(*arguments)

        return call


def from_brackets(text):
    """From each opening bracket on to the first that closes, which may be the end of the line."""
    passages = (re.match(r".*?(?:[\]})>]|$)", text[m.end() :]) for m in OPENING.finditer(text))
    return sum(len(passage[0]) for passage in passages)


@pytest.mark.parametrize("label", ["(", "([", "()(", "(\n("])
def test_brackets_that_nothing_closes(label, monkeypatch):
    counted = Counted(words._BRACKETED, from_brackets)
    monkeypatch.setattr(words, "_BRACKETED", counted)
    passed = []
    for n in (SMALL, 2 * SMALL):
        counted.passed = 1
        assert words._clean(label * n + "sea", set()) == "sea"
        passed.append(counted.passed)
    assert passed[1] < TWICE * passed[0]
    assert passed[1] < 10 * len(label) * 2 * SMALL


@pytest.mark.parametrize(("n", "composes"), [(1, True), (30, True), (31, False), (50_000, False)])
def test_marks_on_a_letter_are_sorted_where_they_are_few(n, composes, monkeypatch):
    """Sorting them takes the square of their number."""
    normalize, longest = unicodedata.normalize, []
    monkeypatch.setattr(
        unicodedata,
        "normalize",
        lambda form, text: longest.append(len(text)) or normalize("NFC", text),
    )
    label = "a" + "\u0301" * n
    assert words._clean(label, set()) == ("\u00e1" + "\u0301" * (n - 1) if composes else label)
    assert max(longest, default=0) <= 31


@pytest.mark.parametrize("name", ["_NEGATIVE_TIME", "_EXPONENT"])
def test_blank_lines_are_passed_over_once(name):
    """A search that begins at each line ends with it."""
    pattern = getattr(textgrid, name)
    start = re.compile(pattern.pattern.split("(?:xmin")[0].lstrip("^("))
    assert start.match("  \t\u00a0\n\n\n").end() == 4


def test_blank_lines_change_nothing(tmp_path):
    text = long_textgrid({"word": [(0.0, 0.5, "the"), (0.5, 1.0, "sea")]})
    (tmp_path / "a.TextGrid").write_text(text)
    (tmp_path / "b.TextGrid").write_text(text + "\n" * 1000)
    read = [textgrid.read_textgrid(tmp_path / f"{name}.TextGrid") for name in "ab"]
    assert read[0].equals(read[1])


def test_volume_counts_are_read_once_for_all_stories(tmp_path, monkeypatch):
    (tmp_path / "respdict.json").write_text(json.dumps({f"s{i}": 300 for i in range(50)}))
    timing = {"tr": 2.0, "trim": (5, 5)}
    dataset = Dataset(tmp_path, timing, responses_as={"volumes": "respdict.json"})
    read, found = Path.read_text, []
    monkeypatch.setattr(Path, "read_text", lambda *a, **k: found.append(a) or read(*a, **k))
    assert {dataset.grid(f"s{i}").n_scanned for i in range(50)} == {300}
    assert len(found) == 1
