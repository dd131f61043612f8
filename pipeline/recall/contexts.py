"""States of contexts, once for all subjects: of the stories' rows, and of a corpus's passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from gim.text.words import join_words
from pipeline.bands.registry import BandOptions
from pipeline.core.atomic import LayoutFile
from pipeline.core.places import Places
from pipeline.core.progress import track
from pipeline.core.random import generator
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, read_story
from pipeline.embedding.eng1000 import documents, tokenise
from pipeline.features.encoder import load_encoder
from pipeline.states.compute import read_states
from pipeline.states.file import StatesFile
from pipeline.states.model import origin as model_origin
from pipeline.states.reading import Reading, layers_of

SHOWN = 32  # words at a passage, and after it, that are kept
READ, FIRST, STEP = 400, 100, 6  # of a document: words read, words before the first passage, stride
ROW, ROW_WORDS = "row", 6  # all words of a row, of which a corpus has none: about those of 2 s
CORPUS = "corpus"  # what takes the place of a story's name


@dataclass(frozen=True)
class Contexts:
    """States of places in texts, and the words there.

    Parameters
    ----------
    states : array of shape (n, dim), float32
        Made from the words up to each place.
    row : array of int, shape (n,)
        The story's row of each place, or the number of the corpus's document.
    there, followed : lists of str, length n
        Up to `SHOWN` words that end, and that begin after, each place.
    """

    states: np.ndarray
    row: np.ndarray
    there: list[str]
    followed: list[str]

    @property
    def n(self) -> int:
        """Places."""
        return len(self.row)


class ContextFile(LayoutFile):
    """States of the stories' rows, and of a corpus's passages under the name `corpus`.

    Groups `NAME` with `Contexts`: `states` (n, dim) float32, `row` (n,), `there` and `followed`
    (n,) strings. Attributes: `layout`, and what made them (`Kind.origin`).
    """

    LAYOUT = "contexts/1"

    @classmethod
    @contextmanager
    def create(cls, path: str | Path, origin: Mapping[str, str]) -> Iterator[ContextFile]:
        """Make a file."""
        with cls._create(path) as made:
            made._file.attrs.update(origin)
            yield made

    def write(self, name: str, contexts: Contexts) -> None:
        """Write those of a story or of the corpus."""
        group = self._file.create_group(name)
        group["states"], group["row"] = contexts.states, contexts.row
        for key in ("there", "followed"):
            group.create_dataset(key, data=getattr(contexts, key), dtype=h5py.string_dtype())

    def read(self, names: Sequence[str]) -> dict[str, Contexts]:
        """Those of some stories, or of the corpus."""
        with self._open() as file:
            return {
                name: Contexts(
                    file[name]["states"][:],
                    file[name]["row"][:],
                    *(list(file[name][key].asstr()[:]) for key in ("there", "followed")),
                )
                for name in names
            }


def word_states(
    words: Sequence[str], at: np.ndarray, n_words: np.ndarray, options: Mapping[str, Any]
) -> np.ndarray:
    """States of contexts that end with some words of a text.

    Parameters
    ----------
    words : sequence of str
        The text.
    at : array of int, shape (n,)
        The words wanted.
    n_words : array of int, shape (n,)
        Over how many words, each wanted one and those before it, states are averaged.
    options : mapping
        Those of a pass of a causal language model (`pipeline.states.reading`) and `layers`, or
        without a `model` an `encoder` and its `output`.

    Returns
    -------
    array of shape (n, dim), float32
    """
    end = int(at.max(initial=-1)) + 1  # what comes later is not even read
    own = list(words[:end])
    if not own:
        return np.empty((0, 0), np.float32)
    return _pooled(_all_states(own, options), at, n_words)


def _pooled(states: np.ndarray, at: np.ndarray, n_words: np.ndarray) -> np.ndarray:
    """Mean state of the words that end with each of the words `at`, fewer at the beginning."""
    total = np.cumsum(states, axis=0, dtype=np.float64)
    first = np.maximum(at - n_words, -1)
    before = np.where(first[:, None] >= 0, total[first], 0)
    return ((total[at] - before) / (at - first)[:, None]).astype(np.float32)


def _all_states(own: list[str], options: Mapping[str, Any]) -> np.ndarray:
    """The state of every word, (n_words, dim)."""
    if not options["model"]:
        encoder = load_encoder(options["encoder"])
        return np.asarray(encoder.vectors(*join_words(own), options["output"]), np.float32)
    return read_states(own, Reading.of(options), layers_of(options), [options["pool"]]).states


def story_contexts(story: Story, options: Mapping[str, Any]) -> Contexts:
    """The contexts at the ends of a story's rows: words up to each row's last one.

    Rows without a state (`pipeline.dataset.grid.Grid.states`) have none. The words' states are
    those of the file `states` of the options, where there is one.
    """
    state = story.grid.states(story.words["onset"].to_numpy())
    rows = np.flatnonzero(state >= 0)
    at, words = state[rows], story.words["word"].tolist()
    n_words = _words_pooled(story, at, options["pooled"])
    if path := options.get("states"):
        every = StatesFile(path).read(story.name, layers_of(options), options["pool"])
        states = _pooled(every, at, n_words)
    else:
        states = word_states(words, at, n_words, options)
    return Contexts(states, rows, *passages(words, at))


def _words_pooled(story: Story, at: np.ndarray, pooled: int | Literal["row"]) -> np.ndarray:
    """Over how many words the state of each row is averaged that ends with one of the words `at`.

    A row without words has the state, and so the words, of the last one that had some.
    """
    if pooled != ROW:
        return np.full(len(at), pooled)
    row = story.grid.row_of(story.words["onset"].to_numpy())
    return np.searchsorted(row, row[at], side="right") - np.searchsorted(row, row[at])


def passages(words: Sequence[str], at: np.ndarray) -> tuple[list[str], list[str]]:
    """Up to `SHOWN` words up to each of the words `at`, and after it."""
    there = [" ".join(words[max(0, i + 1 - SHOWN) : i + 1]) for i in at]
    return there, [" ".join(words[i + 1 : i + 1 + SHOWN]) for i in at]


def corpus_contexts(options: Mapping[str, Any], seed: int) -> Contexts:
    """Contexts of a corpus: in passages of documents drawn by a seed, every few words.

    Parameters
    ----------
    options : mapping
        `corpus`, the files; `corpus_passages`, how many contexts; what `word_states` needs.
    seed : int
        Of the documents' order, and of where in each is read.
    """
    rng = generator(seed, "corpus")
    texts = [text for path in options["corpus"] for text in documents(Path(path))]
    found: list[Contexts] = []
    wanted = options["corpus_passages"]
    for number in track(rng.permutation(len(texts)).tolist(), "documents read"):
        if wanted <= 0:
            break
        words = tokenise(texts[number])
        start = int(rng.integers(0, max(1, len(words) - READ - SHOWN)))
        piece = words[start : start + READ + SHOWN]
        at = np.arange(FIRST, min(len(piece) - SHOWN, READ), STEP)[:wanted]
        if len(at):
            pooled = ROW_WORDS if options["pooled"] == ROW else options["pooled"]
            states = word_states(piece, at, np.full(len(at), pooled), options)
            found.append(Contexts(states, np.full(len(at), number), *passages(piece, at)))
            wanted -= len(at)
    return joined(found)


def joined(parts: Sequence[Contexts]) -> Contexts:
    """Contexts one after the other."""
    return Contexts(
        np.concatenate([part.states for part in parts]) if parts else np.empty((0, 0), np.float32),
        np.concatenate([part.row for part in parts]) if parts else np.empty(0, int),
        [words for part in parts for words in part.there],
        [words for part in parts for words in part.followed],
    )


def write_contexts(
    dataset: Dataset,
    words_path: str | Path,
    *,
    stories: Sequence[str],
    options: BandOptions,
    seed: int,
    output: str | Path,
    places: Places | None = None,
) -> None:
    """Compute the states of all stories' rows, and of the corpus if the memory has one.

    Parameters
    ----------
    dataset, words_path, stories, options, output, places
        As for `pipeline.bands.compute.stimulus_features`.
    seed : int
        Of the corpus's passages.
    """
    import pandas as pd  # slow to import

    words = pd.read_parquet(words_path)
    model = options.own["model"]
    origin = model_origin(model, options.own["dtype"]) if model else {}
    with ContextFile.create(output, places.hide(origin) if places else origin) as file:
        for name in track(stories, "contexts of stories"):
            file.write(name, story_contexts(read_story(dataset, words, name), options.own))
        if options.own["memory"] != "training":
            file.write(CORPUS, corpus_contexts(options.own, seed))
