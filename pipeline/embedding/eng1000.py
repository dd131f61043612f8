"""Eng1000, a word embedding of co-occurrences with basis words: its file, and a builder.

Every word is described by how often it occurs near each of 985 common English words (the basis,
Wikipedia's "List of 1000 basic words"), so that every feature has a readable meaning: Huth et al.
2016, https://doi.org/10.1038/nature17637; LeBel et al. 2023, https://doi.org/10.1038/s41597-023-02437-z.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path

import h5py
import numpy as np

from gim import errors
from gim.text.corpus import read_documents
from pipeline.core.atomic import atomic_h5
from pipeline.core.errors import Problem, ProblemError, repeated
from pipeline.core.files import file_problem
from pipeline.core.hdf5 import open_h5
from pipeline.core.progress import track
from pipeline.core.series import zscore
from pipeline.embedding.spelling import spelt_otherwise

FETCH = "give the path of an english1000sm.hf5 (with datalad or git-annex, fetch it: datalad get)"
# Numbers are tokens too, so that they keep their place among the words, as when they are spoken.
TOKEN = re.compile(r"\w+(?:'\w+)*")


@dataclass(frozen=True, eq=False)
class Eng1000:
    """Word vectors over basis words.

    Parameters
    ----------
    data : array of shape (n_basis, n_vocab), float32
        A column is the vector of a word.
    vocab : list of str, length n_vocab
        The words.
    basis : list of str, length n_basis, optional
        The basis words: what the rows mean. Files of others do not record them.
    """

    data: np.ndarray
    vocab: list[str]
    basis: list[str] | None = None

    @classmethod
    def load(cls, path: str | Path) -> Eng1000:
        """Read an HDF5 file with `data` (n_basis, n_vocab) and `vocab` (n_vocab byte strings).

        Raises
        ------
        ProblemError
            If the file is missing, is not HDF5, rests on other files, or does not hold such an
            embedding.
        """
        try:
            with open_h5(path) as file:
                found = {
                    key: np.asarray(file[key])
                    for key in ("data", "vocab", "basis")
                    if isinstance(file.get(key), h5py.Dataset)
                }
        except FileNotFoundError as error:
            raise ProblemError(Problem(path, "", "there is no such file", FETCH)) from error
        except OSError as error:
            raise ProblemError(Problem(path, "", "not a readable HDF5 file", FETCH)) from error
        fault = _fault(found)
        if fault:
            remedy = "take the dataset's english1000sm.hf5, or build one from corpora"
            raise ProblemError(Problem(path, fault[0], fault[1], remedy))
        basis = _decode(found["basis"]) if "basis" in found else None
        return cls(found["data"].astype(np.float32), _decode(found["vocab"]), basis)

    def save(self, path: str | Path) -> None:
        """Write the file that `load` reads, atomically."""
        with atomic_h5(path) as file:
            file["data"] = self.data
            file["vocab"] = np.array([word.encode() for word in self.vocab], dtype="S")
            if self.basis is not None:
                file["basis"] = np.array([word.encode() for word in self.basis], dtype="S")

    @cached_property
    def _columns(self) -> dict[str, int]:
        columns: dict[str, int] = {}
        for column, word in enumerate(self.vocab):
            columns.setdefault(fold(word), column)
        return columns

    def _lookup(self, words: Iterable[str]) -> np.ndarray:
        """Column of every word, -1 for those not in the vocabulary."""
        folded = [fold(word) for word in words]
        return np.fromiter(map(self._columns.get, folded, repeat(-1)), np.int64, len(folded))

    def vectors(self, words: Iterable[str]) -> np.ndarray:
        """Vectors of words, whatever their case; zeros for words not in the vocabulary.

        Returns
        -------
        array of shape (n_words, n_basis), float32
        """
        columns = self._lookup(words)
        vectors = self.data.T[columns]
        vectors[columns < 0] = 0
        return vectors

    def known(self, words: Iterable[str]) -> np.ndarray:
        """Whether each word has a vector that says something; bool, shape (n_words,).

        A word that never occurred near a basis word is in the vocabulary, but its vector is zeros.
        """
        columns = self._lookup(words)
        return (columns >= 0) & self._says_something[columns]

    @cached_property
    def _says_something(self) -> np.ndarray:
        return np.asarray(self.data.any(axis=0))


def _fault(found: dict[str, np.ndarray]) -> tuple[str, str] | None:
    """Place and description of the first thing wrong with the content of a file, if any."""
    for key in ("data", "vocab"):
        if key not in found:
            return key, "the dataset is missing"
    data, vocab = found["data"], found["vocab"]
    if data.ndim != 2 or 0 in data.shape or data.dtype.kind not in "fiu":
        return "data", f"numbers of shape (basis words, words) expected, not {data.shape}"
    if h5py.check_string_dtype(vocab.dtype) is None:
        return "vocab", f"byte strings expected, not {vocab.dtype}"
    if vocab.shape != data.shape[1:]:
        return "vocab", f"{data.shape[1]} words expected, one a column of data, not {vocab.shape}"
    if misspelt := spelt_otherwise(_decode(vocab)):
        return "vocab", misspelt
    if not np.isfinite(data).all() or np.abs(data).max() > np.finfo(np.float32).max:
        return "data", "there are values that are not finite in single precision"
    if "basis" in found and found["basis"].shape != data.shape[:1]:
        return "basis", f"{data.shape[0]} words expected, not {found['basis'].shape}"
    return None


def _decode(words: np.ndarray) -> list[str]:
    return [bytes(word).decode(errors="replace") for word in words]


def build(
    corpora: Iterable[str | Path],
    stimulus_words: Iterable[str] = (),
    *,
    basis_words: str | Path | None = None,
    vocabulary: int = 10_000,
    window: int = 15,
    n_basis: int = 985,
) -> Eng1000:
    """Build an Eng1000 embedding from text.

    How often each word of the vocabulary occurs within `window` words before or after each basis
    word in the same document is counted, and log(1 + count) is z-scored over words, then over
    basis words. (The released code of Huth et al. counts 15 words before and 14 after.) The
    corpora are read twice, a document at a time.

    Parameters
    ----------
    corpora : iterable of str or Path
        Files of one JSON document `{"text": ...}` a line: plain, .gz, .xz or .zst.
    stimulus_words : iterable of str
        Words that belong to the vocabulary whatever their frequency.
    basis_words : str or Path, optional
        File of basis words, one a line; None takes the `n_basis` most frequent words
        of two letters or more, without apostrophe, that are not scikit-learn's stop words.
    vocabulary : int
        Most frequent words of the corpora in the vocabulary.
    window : int
        Words on each side that count as neighbours.
    n_basis : int
        Basis words where there is no file of them (fewer if the corpora have fewer).

    Returns
    -------
    Eng1000
        Words by falling frequency, equal ones alphabetically, then the other stimulus words. Words
        that never occur near a basis word have zero vectors and no part in the z-scores.

    Raises
    ------
    ProblemError
        If a file is missing, damaged or empty.
    """
    files = _existing(corpora)
    given = None if basis_words is None else read_basis(basis_words)
    ranked = _ranked(files)
    frequent = [word for word in ranked if _is_word(word)][:vocabulary]
    others = {fold(word) for word in stimulus_words} - {""} - set(frequent)
    vocab = frequent + sorted(others)
    basis = given or _content_words(ranked)[:n_basis]
    if not frequent or not basis:
        raise ProblemError(
            Problem(str(files), "", "no words in the corpora", "give corpora of text")
        )
    counts = _cooccurrences(files, vocab, basis, window)
    return Eng1000(_normalise(counts).astype(np.float32), vocab, basis)


def read_basis(path: str | Path) -> list[str]:
    """Read basis words, one a line.

    Raises
    ------
    ProblemError
        If the file is missing, is not text, holds no words, a line of more or less than one word,
        or a word twice.
    """
    if problem := file_problem(path):
        raise ProblemError(problem)
    try:
        words = [fold(line.strip()) for line in Path(path).read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(
            Problem(path, "", f"cannot be read ({error})", "give a text file, one word a line")
        ) from error
    words = [word for word in words if word]
    if not words:
        raise ProblemError(Problem(path, "", "no basis words", "give one word a line"))
    if several := [word for word in words if tokenise(word) != [word]]:
        what = f"no single words: {', '.join(map(repr, several[:5]))}"  # no text would match them
        raise ProblemError(Problem(path, "", what, "give one word a line, without punctuation"))
    if twice := repeated(words):
        raise ProblemError(
            Problem(path, ", ".join(twice), "basis words occur twice", "give each word once")
        )
    return words


def _existing(paths: Iterable[str | Path]) -> list[Path]:
    """Check that all files are there before minutes go into reading the first."""
    files = [Path(path) for path in paths]
    if problems := [problem for path in files if (problem := file_problem(path))]:
        raise ProblemError(problems)
    return files


def _ranked(corpora: list[Path]) -> list[str]:
    """Tokens of the corpora by falling frequency, equal ones alphabetically."""
    counts: Counter[str] = Counter()
    for words in _tokenised(corpora, "Eng1000: vocabulary"):
        counts.update(words)
    return sorted(counts, key=lambda word: (-counts[word], word))


def _tokenised(corpora: list[Path], title: str) -> Iterator[list[str]]:
    texts = chain.from_iterable(map(documents, corpora))
    yield from map(tokenise, track(texts, f"{title}, documents"))


def _is_word(token: str) -> bool:
    return token.replace("'", "").isalpha()


def _content_words(ranked: list[str]) -> list[str]:
    # imported here as it takes seconds, which only builders should spend
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    content = [word for word in ranked if word.isalpha() and len(word) > 1]
    return [word for word in content if word not in ENGLISH_STOP_WORDS]


def _cooccurrences(
    corpora: list[Path], vocab: list[str], basis: list[str], window: int
) -> np.ndarray:
    """Count the neighbours of basis words; int64, shape (n_basis, n_vocab)."""
    from pipeline.embedding.cooccurrence import count  # only builders should wait for numba

    codes = {word: code for code, word in enumerate(dict.fromkeys(vocab + basis))}
    other = len(codes)  # one code for all other words: they keep their place
    basis_of = np.full(other + 1, -1)
    basis_of[[codes[word] for word in basis]] = np.arange(len(basis))
    counts = np.zeros((len(basis), other + 1), dtype=np.int64)
    for words in _tokenised(corpora, "Eng1000: co-occurrences"):
        coded = np.fromiter(map(codes.get, words, repeat(other)), np.int64, len(words))
        count(counts, coded, basis_of, window)
    return counts[:, : len(vocab)]


def _normalise(counts: np.ndarray) -> np.ndarray:
    """log(1 + count), z-scored over words, then over basis words; float64, same shape."""
    seen = counts.any(axis=0)
    data = np.zeros(counts.shape)
    data[:, seen] = zscore(zscore(np.log1p(counts[:, seen]).T).T)
    return data


def documents(path: Path) -> Iterator[str]:
    """Texts of a corpus (see `gim.text.corpus.read_documents`), one after the other.

    Raises
    ------
    ProblemError
        If the file is missing, damaged or empty, or a line is not a JSON object with a "text".
    """
    remedy = "check the path, and fetch or copy the file again"
    empty = True
    try:
        for document in read_documents([path]):
            empty = False
            yield document.text
    except errors.InputError as error:
        what = str(error).removeprefix(str(path)).lstrip(":, ")
        raise ProblemError(Problem(path, "", what, remedy)) from error
    if empty:  # all that a reader of .zst says of a file cut in its first block
        raise ProblemError(Problem(path, "", "it is empty or truncated", remedy))


def fold(text: str) -> str:
    """Lower case, with plain apostrophes."""
    return text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def tokenise(text: str) -> list[str]:
    """Words of a text as story transcripts have them: lower case, no punctuation but inner '.

    >>> tokenise("“I don’t,” she said--_twice_.")
    ['i', "don't", 'she', 'said', 'twice']
    """
    return TOKEN.findall(fold(text).replace("_", " "))
