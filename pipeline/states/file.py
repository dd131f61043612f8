"""States of all stories on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import h5py
import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.core.errors import Problem, ProblemError

if TYPE_CHECKING:
    from gim.causal.hidden import Pool

LARGEST = float(np.finfo(np.float16).max)
ROWS = 256  # of a chunk on disk, which holds one layer
Block: TypeAlias = "tuple[Pool, int, int]"  # pool, layer, width


def as_kept(states: np.ndarray) -> np.ndarray:
    """States in float16, to within 0.05 % each; the few beyond its range become its largest."""
    return np.clip(states, -LARGEST, LARGEST).astype(np.float16)


class StatesFile(LayoutFile):
    """States of every word of every story, float16: pools and layers side by side.

    Datasets `states/STORY`: (n_words, sum of the blocks' widths); `surprise/STORY`: (n_words,),
    nats of each word, with the attribute `bits_per_byte` (if the model tells). Attributes:
    `layout`; `blocks`, pool, layer and width of each block of columns as JSON; what
    `pipeline.states.model.origin` says of the model.
    """

    LAYOUT = "states/1"

    @classmethod
    @contextmanager
    def create(
        cls, path: str | Path, blocks: Sequence[Block], origin: Mapping[str, str]
    ) -> Iterator[StatesFile]:
        """Make a file, with its columns and the model that the states are of."""
        with cls._create(path) as made:
            made._file.attrs["blocks"] = json.dumps(blocks)
            made._file.attrs["origin"] = json.dumps(origin)
            yield made

    def write(self, story: str, states: np.ndarray, surprise: np.ndarray, n_bytes: int) -> None:
        """Write a story: states (n_words, n_columns), nats of its words, and bytes of its text."""
        width = max(1, min(width for _, _, width in self._blocks(self._file)))
        chunks = (max(1, min(ROWS, len(states))), width)
        self._file.create_dataset(f"states/{story}", data=as_kept(states), chunks=chunks)
        kept = self._file.create_dataset(f"surprise/{story}", data=surprise.astype(np.float32))
        if n_bytes and not np.isnan(surprise).any():
            kept.attrs["bits_per_byte"] = float(surprise.sum() / np.log(2) / n_bytes)

    def read(self, story: str, layers: Sequence[int], pool: Pool) -> np.ndarray:
        """States of some layers side by side, (n_words, sum of their widths), float32.

        Raises
        ------
        ProblemError
            If the file lacks one of them.
        """
        with self._open() as file:
            blocks = self._blocks(file)
            ends = np.cumsum([width for _, _, width in blocks])
            at = {
                (p, layer): (end - width, end)
                for (p, layer, width), end in zip(blocks, ends, strict=True)
            }
            missing = [layer for layer in layers if (pool, layer) not in at]
            if missing or story not in file["states"]:
                what = f"no {pool} states of layers {missing}" if missing else "it is not there"
                raise ProblemError(
                    Problem(self.path, story, what, "delete the file; Snakemake makes it again")
                )
            parts = [file[f"states/{story}"][:, slice(*at[pool, layer])] for layer in layers]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def origin(self) -> dict[str, str]:
        """The model."""
        with self._open() as file:
            return json.loads(file.attrs["origin"])

    def bits_per_byte(self) -> dict[str, float]:
        """Surprise of each story's text, where the model tells."""
        with self._open() as file:
            kept = {story: data.attrs for story, data in file.get("surprise", {}).items()}
            return {s: float(a["bits_per_byte"]) for s, a in kept.items() if "bits_per_byte" in a}

    @staticmethod
    def _blocks(file: h5py.File) -> list[Block]:
        return [tuple(block) for block in json.loads(file.attrs["blocks"])]
