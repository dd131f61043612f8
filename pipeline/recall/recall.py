"""The search of a memory for every row of every story, and the file of what was found."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from pipeline.bands.registry import BandOptions
from pipeline.core.atomic import LayoutFile, atomic_path
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.progress import track
from pipeline.core.random import generator
from pipeline.dataset.grid import Blocks, whole_story
from pipeline.recall.contexts import CORPUS, ContextFile, Contexts
from pipeline.recall.memory import Memory, Out, Pool, key_of, versions
from pipeline.recall.nearest import effective_number, nearest, soft_weights
from pipeline.recall.pursuit import pursue

if TYPE_CHECKING:
    import pandas as pd

PACKED: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
EVIDENCE = 20  # passages of a row whose words are shown


@dataclass(frozen=True)
class Recalled:
    """What was found for the rows of one story.

    Parameters
    ----------
    row : array of int, shape (n,)
        Rows that have a state.
    index : array of int, shape (n, k) or (1, k)
        Passages by index in the pool, the most alike first, of a pursuit in the order in which they
        were taken; one line if all rows have the same.
    weight : array of shape (n, k)
        Their shares, rows summing to one.
    cosine : array of shape (n, k)
        How alike they are.
    """

    row: np.ndarray
    index: np.ndarray
    weight: np.ndarray
    cosine: np.ndarray


class Searcher:
    """Searches the memories of a pool.

    Parameters
    ----------
    pool : Pool
        All passages.
    folds : mapping of str to int
        Fold of each training story.
    options : mapping
        Of the band (`pipeline.features.passages`).
    blocks : mapping
        `blocks` of the configuration: blocks of a story never remember each other.
    seed : int
        Seed of the draws.
    """

    def __init__(
        self,
        pool: Pool,
        folds: Mapping[str, int],
        options: Mapping[str, Any],
        blocks: Blocks,
        seed: int,
    ) -> None:
        self.pool, self.folds, self.options = pool, folds, options
        self.blocks, self.seed = blocks, seed
        self.whole = np.array([whole_story(name, blocks) for name in pool.name], dtype=object)
        fewest = min((len(pool.without(out)) for out in versions(folds)), default=0)
        self.n = min(options["n_passages"] or fewest, fewest)

    def memory(self, out: Out) -> Memory:
        """The memory without the folds `out`."""
        chosen, normalise = self.options["chosen"], self.options["normalise"]
        rng = generator(self.seed, "memory")
        return Memory.choose(self.pool, out, self.n, chosen, normalise, rng)

    def search(self, memory: Memory, name: str, contexts: Contexts) -> Recalled:
        """Find the passages of other stories that are most like each of a story's contexts."""
        allowed = self.whole[memory.index] != whole_story(name, self.blocks)
        queries = memory.space.place(contexts.states)
        k = self.options["n_matches"]
        if self.options["weighting"] == "pursuit":
            found, weight, cosine = pursue(queries, memory.placed, allowed, k)
            return Recalled(contexts.row, memory.index[found], weight, cosine)
        index, cosine = nearest(queries, memory.placed, allowed, k)
        if k is None:  # all of them in one order, so that it is kept once
            order = np.argsort(index, axis=1)
            index = np.take_along_axis(index, order, axis=1)[:1]
            cosine = np.take_along_axis(cosine, order, axis=1)
        weight = soft_weights(cosine, self.options["temperature"])
        return Recalled(contexts.row, memory.index[index], weight, cosine)


class RecallFile(LayoutFile):
    """What the rows of all stories recall, by every version of the memory.

    Groups: `pool` with `name`, `row`, `there` and `followed` of each passage; `memory/VERSION`,
    the passages of a version by index in the pool; `recalled/VERSION/STORY` with `row`, `index`,
    `weight` (see `Recalled`), and in the version `all` `cosine`. Attributes: `layout`; `folds`, the
    training stories' folds (JSON); `effective`, the mean effective number of passages a row in the
    version `all`; `rows`, rows of each story (JSON); what made the states.
    """

    LAYOUT = "recall/1"

    @classmethod
    @contextmanager
    def create(cls, path: str | Path, searcher: Searcher) -> Iterator[RecallFile]:
        """Make a file with the pool."""
        with cls._create(path) as made:
            made._file.attrs["folds"] = json.dumps(dict(searcher.folds))
            group, contexts = made._file.create_group("pool"), searcher.pool.contexts
            group["row"] = contexts.row
            texts = (list(searcher.pool.name), contexts.there, contexts.followed)
            for key, text in zip(("name", "there", "followed"), texts, strict=True):
                group.create_dataset(key, data=text, dtype=h5py.string_dtype())
            yield made

    def write(self, out: Out, memory: Memory, found: Mapping[str, Recalled]) -> None:
        """Write what one version gave."""
        key = key_of(out)
        self._file[f"memory/{key}"] = memory.index.astype(np.int32)
        for story, recalled in found.items():
            group = self._file.create_group(f"recalled/{key}/{story}")
            group["row"] = recalled.row.astype(np.int32)
            index = recalled.index.astype(np.min_scalar_type(self._file["pool/row"].shape[0]))
            group.create_dataset("index", data=index, **PACKED)
            group.create_dataset("weight", data=recalled.weight.astype(np.float16), **PACKED)
            if not out:
                group["cosine"] = recalled.cosine.astype(np.float16)

    @property
    def folds(self) -> dict[str, int]:
        """Fold of each training story."""
        with self._open() as file:
            return json.loads(file.attrs["folds"])

    def memory(self, out: Out) -> np.ndarray:
        """The passages of a version, by index in the pool."""
        with self._open() as file:
            return file[f"memory/{key_of(out)}"][:]

    def read(self, out: Out, stories: Sequence[str]) -> dict[str, Recalled]:
        """What some stories recall by a version."""
        with self._open() as file:
            found = {}
            for story in stories:
                group = file[f"recalled/{key_of(out)}/{story}"]
                row, index = group["row"][:], group["index"][:]
                weight = group["weight"][:].astype(np.float32)
                weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)  # half precision
                cosine = group["cosine"][:].astype(np.float32) if not out else np.empty((0, 0))
                found[story] = Recalled(row, index, weight, cosine)
            return found

    def passages(self) -> pd.DataFrame:
        """The pool: `name` (a story, or `corpus`), `row`, `there`, `followed`."""
        import pandas as pd  # slow to import

        with self._open() as file:
            pool = file["pool"]
            texts = {key: pool[key].asstr()[:] for key in ("name", "there", "followed")}
            return pd.DataFrame({"row": pool["row"][:], **texts})


def recall(
    contexts: str | Path,
    *,
    folds: Mapping[str, int],
    test: Sequence[str],
    options: BandOptions,
    blocks: Blocks,
    seed: int,
    output: str | Path,
    evidence: str | Path,
) -> None:
    """Search the memory for every row, by every version, and write what was found.

    Parameters
    ----------
    contexts : path
        States (`pipeline.recall.contexts.ContextFile`).
    folds : mapping of str to int
        Fold of each of the subject's training stories.
    test : sequence of str
        Its test stories: they only ask.
    options : BandOptions
        Of a band of the kind `passages`.
    blocks : mapping
        `blocks` of the configuration.
    seed : int
        Seed of the draws.
    output : path
        HDF5 to write (`RecallFile`).
    evidence : path
        Parquet to write (`evidence_table`), of the memory of all training stories.

    Raises
    ------
    ProblemError
        If some version of the memory has no passage.
    """
    searcher, asked = load_searcher(contexts, folds, test, options, blocks, seed)
    if searcher.n == 0:
        what = "a memory without one or two folds of the training stories has no passage"
        raise ProblemError(Problem(contexts, "memory", what, "add stories, or take a corpus"))
    with RecallFile.create(output, searcher) as file:
        for out in track(versions(folds), "memories searched"):
            memory = searcher.memory(out)
            stories = [*folds, *(() if out else test)]
            found = {story: searcher.search(memory, story, asked[story]) for story in stories}
            file.write(out, memory, found)
            if not out:
                numbers = [effective_number(r.weight) for r in found.values()]
                effective = float(np.mean(np.concatenate(numbers)))
                file._file.attrs["effective"] = effective
                logging.info("%d passages, effectively %.1f a row", searcher.n, effective)
                with atomic_path(evidence) as temporary:
                    evidence_table(found, file.passages()).to_parquet(temporary)


def load_searcher(
    contexts: str | Path,
    folds: Mapping[str, int],
    test: Sequence[str],
    options: BandOptions,
    blocks: Blocks,
    seed: int,
) -> tuple[Searcher, dict[str, Contexts]]:
    """A searcher of a band's memories, and the contexts of all stories (see `recall`)."""
    file, own = ContextFile(contexts), options.own
    asked = file.read([*folds, *test])
    parts = {story: asked[story] for story in folds} if own["memory"] != CORPUS else {}
    if own["memory"] != "training":
        parts |= file.read([CORPUS])
    return Searcher(Pool.of(parts, folds), folds, own, blocks, seed), asked


def evidence_table(found: Mapping[str, Recalled], pool: pd.DataFrame) -> pd.DataFrame:
    """Which passages each row recalled: a line a row and passage, the `EVIDENCE` weightiest first.

    Returns
    -------
    DataFrame
        `story`, `tr`; `passage_story`, `passage_tr` (of a corpus, its document's number);
        `similarity` (cosine), `weight`; `words`, those that end the passage, and `followed`.
    """
    import pandas as pd  # slow to import

    parts = []
    for story, recalled in found.items():
        n, k = recalled.weight.shape
        order = np.lexsort((-recalled.cosine, -recalled.weight))[:, :EVIDENCE]
        index = np.take_along_axis(np.broadcast_to(recalled.index, (n, k)), order, axis=1)
        weight, similarity = (
            np.take_along_axis(values, order, axis=1)
            for values in (recalled.weight, recalled.cosine)
        )
        passage = pool.iloc[index.ravel()]
        parts.append(
            pd.DataFrame(
                {
                    "story": story,
                    "tr": np.repeat(recalled.row, index.shape[1]),
                    "passage_story": passage["name"].to_numpy(),
                    "passage_tr": passage["row"].to_numpy(),
                    "similarity": similarity.ravel(),
                    "weight": weight.ravel(),
                    "words": passage["there"].to_numpy(),
                    "followed": passage["followed"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
