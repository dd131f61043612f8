"""What the pages name exists: links, files, commands with their options, targets, settings."""

import argparse
import importlib.util
import re
import shlex
from functools import cache

import pytest

from gim import cli
from pipeline.core.schema.validator import schema
from tests.conftest import REPOSITORY

FOLDERS = (".", "config", "docs", "data", "results", "gim/data/encoder")
PAGES = sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```|^((?: {4}[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
FILE = re.compile(
    r"(?:\.\./)*((?:gim|pipeline|workflow|tests|config|benchmarks|docs|profiles)/[\w/.-]+\.\w+)"
)
SETTINGS = "fit|timing|seeds|statistics|audit|maps|training|lm"
KEY = re.compile(rf"(?:{SETTINGS})\.[a-z_]+(?:\.[a-z_]+)?")
NO_KEYS = re.compile(r"\.(png|json|md|smk|h5|tsv|py)$")


def text_of(page):
    return page.read_text(encoding="utf-8")


def code_of(text):
    """Lines of code blocks and inline code, with continued lines joined."""
    blocks = [a or b for a, b in BLOCK.findall(text)]
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + SPAN.findall(BLOCK.sub("", text))


def anchors_of(page):
    """Anchors that GitHub gives the headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def commands(text, program):
    """Arguments of every call of a program, without comments, prompts and assignments."""
    for line in code_of(text):
        line = re.sub(r"^(?:\$ |[A-Z0-9_]+=\S+ )*(?:timeout \d+ )?(?:\.venv/bin/)?", "", line)
        if re.match(rf"{program} \S", line):
            yield shlex.split(line, comments=True)[1 + program.count(" ") :]


@cache
def rule_names():
    files = [REPOSITORY / "workflow/Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]
    return set(re.findall(r"^rule (\w+):", "\n".join(map(text_of, files)), re.MULTILINE))


@cache
def make_targets():
    return set(re.findall(r"^(\w+):", text_of(REPOSITORY / "Makefile"), re.MULTILINE))


@cache
def gim_options():
    """Options of every subcommand of gim."""
    parser = cli._parser()
    sub = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {name: set(p._option_string_actions) for name, p in sub.choices.items()}


@cache
def settings():
    """Dotted names of the configuration's keys."""

    def walk(part, place=""):
        for name, sub in part.get("properties", {}).items():
            yield f"{place}{name}"
            yield from walk(sub, f"{place}{name}.")

    return set(walk(schema()))


def broken_links(page):
    for target in LINK.findall(text_of(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path).resolve() if path else page
        anchored = anchor and file.suffix == ".md"
        if not file.exists() or (anchored and anchor not in anchors_of(file)):
            yield target


def wrong_commands(text):
    """Commands that name a target, a subcommand, an option or a file that there is not."""
    for words in commands(text, "make"):
        yield from (w for w in words if w.isalpha() and w not in make_targets())
    for name, *rest in commands(text, "gim"):
        known = gim_options().get(name, set())
        if not known and name.islower():
            yield f"gim {name}"
        yield from (w for w in rest if known and w.startswith("--") and w not in known)
    for words in commands(text, "snakemake"):
        yield from wrong_targets([word for word in words if word not in made_by_the_reader(text)])
    for module, *_ in commands(text, "python -m"):
        if "NAME" not in module and importlib.util.find_spec(module) is None:
            yield f"python -m {module}"


def made_by_the_reader(text):
    """Files that commands of the page write."""
    modules = commands(text, "python -m")
    return {words[words.index("--out") + 1] for words in modules if "--out" in words}


def wrong_targets(words):
    """Configurations and targets of a call of snakemake that there are not."""
    values = {"--configfile", "--cores", "--workflow-profile", "--profile", "--executor"}
    option = ""
    for word in words:
        if word.startswith("-"):
            option = word
        elif option == "--configfile":  # takes all words that follow: a target comes before it
            if word.islower() and not (REPOSITORY / word).exists():  # not NAME, not ...
                yield word
        elif option in values:
            option = ""
        elif not option and word.isidentifier() and word.islower() and word not in rule_names():
            yield f"snakemake {word}"


def missing_names(text):
    """Files of the project and settings, in code, that there are not."""
    for code in code_of(text):
        for file in FILE.findall(code):
            known = (REPOSITORY / file).exists() or file in made_by_the_reader(text)
            if not known and not re.search("[A-Z]{2,}", file):
                yield file
        if KEY.fullmatch(code) and not NO_KEYS.search(code) and code not in settings():
            yield code


def name_of(page):
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_name_what_exists(page):
    assert list(wrong_commands(text_of(page))) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_and_settings_exist(page):
    assert list(missing_names(text_of(page))) == []


def test_the_contents_lead_to_every_page():
    index = REPOSITORY / "docs" / "index.md"
    linked = {(index.parent / t.partition("#")[0]).resolve() for t in LINK.findall(text_of(index))}
    docs = REPOSITORY / "docs"
    pages = {*docs.glob("*.md"), *(docs / "notebooks").glob("*.py")}
    assert pages - linked == {index}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`make dinner`", ["dinner"]),
        ("`gim index A --out B` and `gim guess`", ["gim guess"]),
        ("```\ngim eval F --stirde 1\n```", ["--stirde"]),
        ("`.venv/bin/snakemake fit --configfile config/none.yaml`", ["config/none.yaml"]),
        ("`snakemake --configfile config/demo.yaml fit`", ["fit"]),
        ("```\nX=1 snakemake fits --configfile config/demo.yaml\n```", ["snakemake fits"]),
        ("    python -m benchmarks.nothing --out X\n", ["python -m benchmarks.nothing"]),
    ],
    ids=["make", "gim", "option", "configfile", "order", "target", "module"],
)
def test_wrong_commands_are_seen(text, wrong):
    assert list(wrong_commands(text)) == wrong


def test_missing_names_are_seen():
    text = "`pipeline/nothing.py`, `fit.memory`, `pipeline/config/load.py`, `fit.memory_gb`"
    assert list(missing_names(text)) == ["pipeline/nothing.py", "fit.memory"]


def test_broken_links_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](page.md#a-title) [b](none.md) [c](#none) [d](https://x.org)")
    assert list(broken_links(page)) == ["none.md", "#none"]
