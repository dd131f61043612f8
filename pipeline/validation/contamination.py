"""Stories that stand in a text which the run knows: their shares, and what is said of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from gim.errors import InputError
from pipeline.core.atomic import write_text
from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.files import file_problem
from pipeline.dataset.dataset import Dataset
from pipeline.tables.contamination import COLUMNS, MUCH, NOTED
from pipeline.validation.overlap import RUN, WordRuns, words_of
from pipeline.validation.texts import Text, known_texts

CACHE = "contamination.json"
FORMAT = 1  # goes up whenever words are read or compared in another way


class Contamination(NamedTuple):
    """What is known of stories in texts.

    Parameters
    ----------
    table : DataFrame
        Columns `COLUMNS`: `source`, the text; `bands`, those that know it; `part`, train or test;
        `share`, of the story's runs of `RUN` words. Of a text that is not here, one row whose
        `story`, `part` and `share` are missing.
    findings : Findings
        Texts that cannot be read.
    """

    table: pd.DataFrame
    findings: Findings


def contamination(config: dict[str, Any], words: Mapping[str, Sequence[str]]) -> Contamination:
    """Share of each story's runs of `RUN` words that each text has which the run knows.

    What was found is kept in the run's folder, under the checksums of the text and of the stories.

    Parameters
    ----------
    config : dict
        Complete configuration.
    words : mapping of str to sequence of str
        Words of each story, or block of one, that could be read.
    """
    texts, findings = known_texts(config), Findings()
    shares = _shares(words, texts, Dataset.from_config(config).run / CACHE, findings)
    rows: list[list[object]] = []
    for text, bands in texts.items():
        source: list[object] = [text.name, ", ".join(bands)]
        if text.kind == "unknown":
            rows.append([*source, None, None, None])
        for part, stories in config["stories"].items():
            own = shares.get(text, {})
            rows += [[*source, story, part, own[story]] for story in stories if story in own]
    return Contamination(pd.DataFrame(rows, columns=COLUMNS).astype({"share": float}), findings)


def check_contamination(found: Contamination, allowed: Sequence[str]) -> Findings:
    """Tell which stories stand in a text that the run knows.

    From `MUCH` of a test story on it is a problem, unless the story is allowed; all else from
    `NOTED` on are warnings.
    """
    table, findings = found.table, Findings()
    findings.add(found.findings)
    noted = table[table["share"] >= NOTED]
    for (source, bands), own in noted.groupby(["source", "bands"], sort=False):
        place = f"features {bands}"
        known, tested = own["share"] >= MUCH, own["part"] == "test"
        refused = known & tested & ~own["story"].isin(allowed)
        if refused.any():
            what = f"test stories stand in it: {_named(own[refused])}"
            remedy = "leave them out of it, test on others, or name them in `allow.contaminated`"
            findings.problem(source, place, what, remedy)
        if (trained := known & ~tested).any():
            what = f"training stories stand in it: {_named(own[trained])}"
            remedy = "leave them out of it; gains.tsv has the gains without them beside those with"
            findings.warn(source, place, what, remedy)
        if (others := ~(refused | trained)).any():
            what = f"stories share words with it: {_named(own[others])}"
            findings.warn(source, place, what, "nothing, if you know; the report has the shares")
    return findings


def _named(rows: pd.DataFrame) -> str:
    rows = rows.sort_values("share", ascending=False, kind="stable")
    pairs = zip(rows["story"], rows["share"], strict=True)
    return f"{some(f'{story} ({share:.0%})' for story, share in pairs)} of runs of {RUN} words"


def _shares(
    words: Mapping[str, Sequence[str]], texts: Iterable[Text], cache: Path, findings: Findings
) -> dict[Text, dict[str, float]]:
    """Share of every story in each text that can be read, from the cache where it has them."""
    spoken = json.dumps({story: list(own) for story, own in words.items()}, sort_keys=True)
    ending = hashlib.sha256(spoken.encode()).hexdigest()
    keys = {t: f"{FORMAT} {t.digest()} {ending}" for t in texts if _is_here(t, findings)}
    known = _read(cache)
    if words and (new := [text for text, key in keys.items() if key not in known]):
        runs = WordRuns([words_of(" ".join(own)) for own in words.values()])
        for text in new:
            try:
                shares = runs.shares(text.words()).tolist()
            except ProblemError as error:
                findings.problems += error.problems
            except InputError as error:
                findings.problem(text.name, "", str(error), "give it as it was made, or make it")
            else:
                known[keys[text]] = dict(zip(words, shares, strict=True))
        kept = {key: known[key] for key in keys.values() if key in known}
        write_text(cache, json.dumps(kept, indent=1))
    return {text: known[key] for text, key in keys.items() if key in known}


def _is_here(text: Text, findings: Findings) -> bool:
    """Whether a text can be read; a missing index is told by the check of models."""
    if text.kind == "unknown":
        return False
    problem = file_problem(text.path)
    if problem and text.kind == "corpus":
        findings.problems.append(problem)
    return problem is None


def _read(cache: Path) -> dict[str, Any]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
