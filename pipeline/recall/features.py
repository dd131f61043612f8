"""Features of rows by what they recall, one set for every version of the memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from pipeline.bands.compute import BandFile
from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.atomic import LayoutFile
from pipeline.recall.memory import Out
from pipeline.recall.recall import Recalled, RecallFile

if TYPE_CHECKING:
    import pandas as pd


class RecalledFile(LayoutFile):
    """Features of a band made from a memory: what is needed to make those of any version.

    Dataset `values`, (n_passages, n_features), of the passages of the pool, none where they
    themselves are the columns or another band's rows stand for them. Attributes: `layout`;
    `recall`, the file of what rows recall, and `through`, that of such another band, both relative
    to this one's folder; `rows`, the rows of each story (JSON). Dataset `columns`, their names, if
    there are any.
    """

    LAYOUT = "recalled/1"

    @classmethod
    def write(
        cls,
        path: str | Path,
        *,
        recall: str | Path,
        n_rows: dict[str, int],
        values: np.ndarray | None,
        columns: Sequence[str] | None,
        through: str | Path | None = None,
    ) -> None:
        """Write what was made (`recalled_features`)."""
        with cls._create(path) as made:
            if values is not None:
                made._file["values"] = values
            made._file.attrs["recall"] = os.path.relpath(recall, Path(path).parent)
            if through is not None:
                made._file.attrs["through"] = os.path.relpath(through, Path(path).parent)
            made._file.attrs["rows"] = json.dumps(n_rows)
            if columns:
                made._file.create_dataset("columns", data=columns, dtype=h5py.string_dtype())

    @cached_property
    def recall(self) -> RecallFile:
        """What the rows recall."""
        with self._open() as file:
            return RecallFile(self.path.parent / str(file.attrs["recall"]))

    @cached_property
    def through(self) -> Path | None:
        """Features of the band whose rows stand for passages, if another's do."""
        with self._open() as file:
            other = file.attrs.get("through")
            return None if other is None else self.path.parent / str(other)

    def warnings(self) -> list[str]:
        """None: features of passages are not looked through as those of rows (`BandFile`) are."""
        return []

    def columns(self) -> list[str] | None:
        """Names of the columns."""
        with self._open() as file:
            return list(file["columns"].asstr()[:]) if "columns" in file else None

    def values(self) -> np.ndarray | None:
        """Features of the pool's passages, (n_passages, n_features), where there are any."""
        with self._open() as file:
            return file["values"][:] if "values" in file else None

    def of_passages(self, out: Out) -> np.ndarray | None:
        """Features of the memory's passages without the folds `out`, (n, n_features).

        None where they themselves are the columns.
        """
        memory = self.recall.memory(out)
        if self.through is not None:
            return rows_at(self.through, out, self.recall.passages().iloc[memory])
        values = self.values()
        return None if values is None else values[memory]

    def read(self, out: Out, stories: Sequence[str]) -> dict[str, np.ndarray]:
        """Features by the memory without the folds `out`.

        Returns
        -------
        dict of str to array of shape (n_rows, n_features)
            Of each story; zeros in rows that recall nothing.
        """
        return dict(self.each(out, stories))

    def each(self, out: Out, stories: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """The same, one story after the other."""
        with self._open() as file:
            n_rows = json.loads(file.attrs["rows"])
        found, memory = self.recall.read(out, stories), self.recall.memory(out)
        values = self.of_passages(out)
        for story in stories:
            yield story, row_features(found[story], memory, values, n_rows[story])


def features_file(path: str | Path) -> BandFile | RecalledFile:
    """A band's features, whatever it is made from."""
    return RecalledFile(path) if RecalledFile.wrote(path) else BandFile(path)


def rows_at(path: str | Path, out: Out, places: pd.DataFrame) -> np.ndarray:
    """What a band says at passages.

    Parameters
    ----------
    path : path
        Its features (`BandFile`, or `RecalledFile` of which the version `out` is read).
    out : tuple of int
        Folds left out.
    places : DataFrame
        `name`, the training story of each passage, and `row`; story by story, as a pool has them.

    Returns
    -------
    array of shape (n_passages, n_features), float32
    """
    stories, row = places["name"].to_numpy(), places["row"].to_numpy()
    parts = [  # all rows of a story are held only as long as those that are wanted are picked
        values[row[stories == story]].astype(np.float32)
        for story, values in _each(path, out, list(dict.fromkeys(stories)))
    ]
    return np.concatenate(parts)


def _each(path: str | Path, out: Out, stories: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """A band's rows, one story after the other."""
    file = features_file(path)
    if isinstance(file, RecalledFile):
        return file.each(out, stories)
    return ((story, file.read([story])[story]) for story in stories)


def row_features(
    recalled: Recalled, memory: np.ndarray, values: np.ndarray | None, n_rows: int
) -> np.ndarray:
    """Mean of the passages' features over what each row recalls, or the weights themselves.

    Parameters
    ----------
    recalled : Recalled
        Of a story.
    memory : array of int, shape (n,)
        The memory's passages by index in the pool, ascending.
    values : array of shape (n, n_features) or None
        Features of these passages.
    n_rows : int
        Rows of the story.

    Returns
    -------
    array of shape (n_rows, n_features or n)
    """
    from scipy.sparse import csr_array  # slow to import

    n, k = recalled.weight.shape
    place = np.searchsorted(memory, np.broadcast_to(recalled.index, (n, k)))
    row = np.repeat(recalled.row, k)
    weights = csr_array((recalled.weight.ravel(), (row, place.ravel())), (n_rows, len(memory)))
    return weights.toarray() if values is None else weights @ values.astype(np.float64)


def recalled_features(
    recall: str | Path,
    *,
    n_rows: dict[str, int],
    options: BandOptions,
    output: str | Path,
    through: str | Path | None = None,
) -> None:
    """Compute what a band makes of the passages that rows recall.

    Parameters
    ----------
    recall : path
        What rows recall (`RecallFile`).
    n_rows : dict of str to int
        Rows of each of the subject's stories.
    options : BandOptions
        With the paths of its resources.
    output : path
        HDF5 to write (`RecalledFile`).
    through : path, optional
        Features of the band whose rows stand for passages (`BandFile` or `RecalledFile`).
    """
    kind, pool = kind_of(options.kind), RecallFile(recall).passages()
    values = kind.compute(pool["there"].tolist(), pool["followed"].tolist(), options.own)
    columns = kind.columns(options.own) if kind.columns else None
    if through is not None:
        columns = features_file(through).columns()
    RecalledFile.write(
        output, recall=recall, n_rows=n_rows, values=values, columns=columns, through=through
    )
