"""What a student is shown in a step: positions of some texts, and what the teacher says there."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gim.causal.model import load_causal
from gim.causal.shape import vocabulary_size
from gim.errors import InputError
from gim.files import file_digest
from gim.text.hub import files_of
from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.training.kept import KeptTeacher, keep_states
from gim.training.settings import Distillation
from gim.training.teacher import Head, States, Teacher
from gim.training.tokens import SPLITS, TokenFile, cache_key

KEPT_VALIDATION = 50_000  # tokens of validation text of which the states are kept


@dataclass(frozen=True)
class Lesson:
    """A batch of text, and what the teacher says at some of its positions.

    Attributes
    ----------
    ids, following : int tensors of shape (batch, length)
        Tokens, and the one after each.
    rows, columns : int arrays of shape (n,)
        Positions: queries, candidates, and those whose inner states alone are known.
    states : States
        The teacher's: the last ones of queries and candidates, the inner ones of all.
    head : Head
    queries : int
        So many of the positions are queries.
    """

    ids: Tensor
    following: Tensor
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    states: States
    head: Head
    queries: int


class Lessons(Protocol):
    """Draws lessons that depend on their number and the seed alone."""

    def draw(self, number: int, batch: int, queries: int, candidates: int) -> Lesson:
        """Lesson ``number``, from ``batch`` sequences."""
        ...


class LiveLessons:
    """The teacher is asked in every step."""

    def __init__(self, settings: Distillation, teacher: Teacher, tokens: TokenFile) -> None:
        self._settings, self._teacher, self._tokens = settings, teacher, tokens

    def draw(self, number: int, batch: int, queries: int, candidates: int) -> Lesson:
        """See `Lessons.draw`."""
        data, seed = self._settings.data, self._settings.seed
        ids = self._tokens.batch(number, batch, data.length, seed, data.together)
        lines = [self._teacher.line(row) for row in ids[:, :-1]]
        allowed = np.zeros((batch, data.length), bool)
        for row, line in enumerate(lines):
            allowed[row, line.columns] = True
        # Drawn from all positions, so that the same ones come whatever the teacher's tokenizer.
        width = data.length - self._settings.first
        order = np.random.default_rng([seed, number, 1]).permutation(batch * width)
        rows, columns = order // width, self._settings.first + order % width
        usable = allowed[rows, columns]
        rows, columns = rows[usable], columns[usable]
        n, queries = _sizes(len(rows), queries, candidates)
        if self._teacher.layer is None:
            rows, columns = rows[:n], columns[:n]
        states = self._teacher.states(lines, rows, columns)
        states = replace(states, last=states.last[:n])
        return _lesson(ids, rows, columns, states, self._teacher.head, queries)


class KeptLessons:
    """The teacher was asked before."""

    def __init__(self, settings: Distillation, kept: KeptTeacher) -> None:
        self._settings, self._kept = settings, kept

    def draw(self, number: int, batch: int, queries: int, candidates: int) -> Lesson:
        """See `Lessons.draw`."""
        seed = self._settings.seed
        ids, records = self._kept.draw(number, batch, seed)
        n, queries = _sizes(len(records), queries, candidates)
        order = np.random.default_rng([seed, number, 1]).permutation(len(records))
        records = records[order]
        inner = _tensor(records, "inner")
        states = States(_tensor(records[:n], "state"), inner)
        if inner is None:
            records = records[:n]
        rows, columns = records["row"].astype(np.int64), records["column"].astype(np.int64)
        return _lesson(ids, rows, columns, states, self._kept.head, queries)


def _tensor(records: NDArray[Any], name: str) -> Any:
    """A field of kept records, or None where it was not kept."""
    names = records.dtype.names or ()
    return torch.from_numpy(records[name].astype(np.float32)) if name in names else None


def _sizes(n_usable: int, queries: int, candidates: int) -> tuple[int, int]:
    """Numbers of positions and of queries among them, in proportion where there are too few."""
    n = min(n_usable, queries + candidates)
    if n < 2:
        raise InputError(
            "a batch has no two positions at which both tokenizers have the end of a word; raise "
            "optimisation.batch, or give a teacher whose tokenizer keeps the text as it is"
        )
    return n, max(1, n * queries // (queries + candidates))


def _lesson(
    ids: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    states: States,
    head: Head,
    queries: int,
) -> Lesson:
    text = torch.from_numpy(ids)
    return Lesson(text[:, :-1], text[:, 1:], rows, columns, states, head, queries)


def load_teacher(settings: Distillation, student: Tokenizer, device: str) -> Teacher:
    """The teacher with its own tokenizer.

    Raises
    ------
    InputError
        For a model or tokenizer that cannot be loaded, or that do not belong together.
    """
    dtype = getattr(torch, settings.teacher_dtype)
    model = load_causal(settings.teacher, device, dtype)
    source = settings.teacher_tokenizer or settings.teacher
    tokenizer = load_tokenizer(source)
    if tokenizer.vocab_size > (n_known := vocabulary_size(model)):
        raise InputError(
            f"{source}: {tokenizer.vocab_size} tokens, but {settings.teacher} knows "
            f"{n_known}; give its own tokenizer as teacher_tokenizer"
        )
    return Teacher(model, tokenizer, student, settings.teacher_layer)


def make_lessons(
    settings: Distillation,
    student: Tokenizer,
    ask: Callable[[], Teacher],
    files: dict[str, TokenFile],
) -> dict[str, Lessons]:
    """Lessons of training and of validation text.

    Parameters
    ----------
    ask : callable
        Loads the teacher; not called where all that it says is kept already.

    Raises
    ------
    InputError
        When more positions are asked for than a batch has.
    """
    size = settings.optimisation.batch * (settings.data.length - settings.first)
    if settings.queries + settings.candidates > size:
        raise InputError(
            f"queries {settings.queries} + candidates {settings.candidates} exceed the {size} "
            "positions of a batch; raise optimisation.batch or data.length"
        )
    if not settings.keep.tokens:
        return {split: LiveLessons(settings, ask(), files[split]) for split in SPLITS}
    wanted = {"train": settings.keep.tokens, "validation": KEPT_VALIDATION}
    folder = Path(settings.keep.cache) / _key(settings, student)
    return {
        split: KeptLessons(
            settings,
            keep_states(
                folder / split,
                ask,
                files[split],
                settings.data,
                wanted[split],
                settings.first,
                getattr(torch, settings.teacher_dtype),
                f"the teacher reads ({split})",
            ),
        )
        for split in SPLITS
    }


def _key(settings: Distillation, student: Tokenizer) -> str:
    """Name of what is kept: it changes with everything that the states depend on."""
    about: dict[str, Any] = {
        "teacher": _digest(settings.teacher),
        "tokenizer": load_tokenizer(settings.teacher_tokenizer or settings.teacher).fingerprint,
        "dtype": settings.teacher_dtype,
        "tokens": cache_key(settings.data, student, settings.seed),
        "sequences": [settings.data.length, settings.data.together, settings.first],
        "kept": settings.keep.tokens,
        "layer": settings.teacher_layer,
    }
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _digest(model: str) -> str:
    """Hash of a saved model's files."""
    digest = hashlib.sha256()
    for path in files_of(model):
        digest.update(f"{path.name} {file_digest(path)}".encode())
    return digest.hexdigest()
