"""Kneser-Ney: an n-gram model of a reference corpus, read off its index.

Interpolated modified Kneser-Ney (Chen and Goodman 1998, section 3), the smoothing that KenLM's
``lmplz`` estimates. Its tables lie in the folder of the index, memory-mapped, 6 to 10 bytes an
n-gram; they are made in one pass over the suffix array.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gim._kernels import ngram_trie as trie
from gim.errors import InputError
from gim.files import atomic_directory, write_json
from gim.infinigram import seen
from gim.infinigram.index import DTYPES, check_index, checksum, open_parts
from gim.text.tokenizer import as_tokens

kernel: Any = trie  # compiled functions carry no types
ORDER = 5
FOLDER = "kneser_ney"
DESCRIPTION = "kneser_ney.json"
FORMAT = 2
ARRAYS = ("tokens", "counts", "children")
FALLBACK = (0.0, 0.5, 1.0, 1.5)  # discounts of a corpus too small to estimate them, as lmplz has it
POINTERS = ("<u4", "<u8")
BLOCK = 1 << 22  # counts counted at once


def build_kneser_ney(index: str | Path, order: int = ORDER) -> dict:
    """Make the tables of an index in its folder.

    Parameters
    ----------
    index : path
        A directory that `gim.infinigram.index.build_index` wrote.
    order : int
        Length of the longest n-grams, at least 2.

    Returns
    -------
    description : dict
        Order, number of n-grams and discounts of each.

    Raises
    ------
    InputError
        When there is no index, or its folder cannot be written to.
    """
    if order < 2:
        raise InputError(f"order {order}: n-grams of at least 2 tokens are needed")
    folder = Path(index)
    about = check_index(folder)
    text, table, _ = open_parts(folder, about)
    separator = int(np.iinfo(text.dtype).max)
    suffixes = text, table, len(table) // len(text), order, separator
    sizes = np.zeros(order, np.int64)
    kernel.measure(*suffixes, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    pointer = POINTERS[int(starts[-1] >= 2**32)]
    try:
        with atomic_directory(folder / FOLDER) as out:

            def create(name: str, dtype: Any, size: int) -> Any:
                return np.memmap(out / name, dtype, "w+", shape=(int(size),))

            tokens = create("tokens", text.dtype, starts[-1])
            counts = create("counts", "<u4", starts[-1])
            children = create("children", pointer, starts[-2] + 1)
            arrays = (np.asarray(part) for part in (tokens, counts, children))
            kernel.fill(*suffixes, about["vocab_size"], starts, *arrays)
            for part in (tokens, counts, children):
                part.flush()
            description = {
                "format": FORMAT,
                "order": order,
                "pointer": pointer,
                "tokens": about["tokens"],
                "ngrams": sizes.tolist(),
                "discounts": [_discounts(counts[a:b]) for a, b in pairwise(starts)],
            }
            description["crc32"] = {name: checksum(out / name) for name in ARRAYS}
            write_json(out / DESCRIPTION, description)
    except OSError as error:
        raise InputError(
            f"{folder / FOLDER}: cannot be written ({error.strerror}); copy the index to a folder "
            "of your own"
        ) from error
    return description


def _discounts(counts: NDArray) -> list[float]:
    """What is taken off an n-gram seen 0, 1, 2, 3 or more times (Chen and Goodman 1998, eq. 26)."""
    n = np.zeros(5)
    for begin in range(0, len(counts), BLOCK):
        n += np.bincount(np.minimum(counts[begin : begin + BLOCK], 5), minlength=6)[:5]
    if n[1:].min() == 0:
        return list(FALLBACK)
    y = n[1] / (n[1] + 2 * n[2])
    found = [0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
    return found if all(0 <= d <= k for k, d in enumerate(found)) else list(FALLBACK)


def _check_discounts(found: dict) -> None:
    """What is taken off a count is at most that count; there is a row for each order."""
    rows = np.array(found["discounts"], float)
    n, order = found["ngrams"], found["order"]
    if type(order) is not int or not all(type(k) is int and k > 0 for k in n):
        raise ValueError(f"order {order}, n-grams {n}")
    if order < 2 or len(n) != order or rows.shape != (order, len(FALLBACK)):
        raise ValueError(f"{len(n)} orders and {rows.shape} discounts instead of {order}")
    if not ((rows >= 0) & (rows <= np.arange(len(FALLBACK)))).all():
        raise ValueError("discounts above the counts that they are taken off")


class KneserNey:
    """The n-gram model of one index.

    Parameters
    ----------
    index : path
        Its tables are made if they are missing.
    order : int
        Of tables that are made.

    Raises
    ------
    InputError
        When the index or its tables are damaged.
    """

    def __init__(self, index: str | Path, order: int = ORDER) -> None:
        folder = Path(index) / FOLDER
        about = check_index(index)
        if not (folder / DESCRIPTION).is_file():
            build_kneser_ney(index, order)
        found = self._describe(folder, about)
        dtype = DTYPES[about["token_dtype"]]
        self.order, self.vocab_size = int(found["order"]), int(about["vocab_size"])
        self.ngrams: list[int] = found["ngrams"]
        self.discounts = np.array(found["discounts"])
        self.separator = int(np.iinfo(dtype).max)
        self._tokens = np.asarray(np.memmap(folder / "tokens", dtype, "r"))
        self._counts = np.asarray(np.memmap(folder / "counts", "<u4", "r"))
        self._children = np.asarray(np.memmap(folder / "children", found["pointer"], "r"))
        self._check(folder, found)
        first = self._tokens[: self.ngrams[0]].astype(np.int64)
        first[first == self.separator] = self.vocab_size  # where the beginning of a document stands
        self.root = np.full(self.vocab_size + 1, -1)
        self.root[first] = np.arange(len(first))
        self.unigram_parts = self._lowest(first)
        self.unigram = self.unigram_parts[0] + self.unigram_parts[1]

    @staticmethod
    def _describe(folder: Path, about: dict) -> dict:
        try:
            found = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            n, inner = sum(found["ngrams"]), sum(found["ngrams"][:-1]) + 1
            width = DTYPES[about["token_dtype"]].itemsize
            wanted = {"tokens": n * width, "counts": 4 * n}
            wanted["children"] = inner * np.dtype(found["pointer"]).itemsize
            sizes = {name: (folder / name).stat().st_size for name in wanted}
            whole = found["format"] == FORMAT and found["tokens"] == about["tokens"]
            whole &= found["pointer"] in POINTERS and set(found.get("crc32", ())) == set(ARRAYS)
            _check_discounts(found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{folder}: damaged ({error!r}); delete it, it is made anew"
            ) from error
        if not whole or sizes != wanted:
            raise InputError(
                f"{folder}: not the tables of this index (truncated, of another one, or of an "
                "older version); delete the folder, it is made anew"
            )
        return found

    def _check(self, folder: Path, found: dict) -> None:
        """Look at the arrays when they are first seen: a wrong pointer would lead astray."""
        place = seen.by_place([folder / name for name in (DESCRIPTION, *ARRAYS)])
        if seen.is_known(place):
            return
        starts = np.concatenate([[0], np.cumsum(self.ngrams)])
        arrays = self._tokens, self._counts, self._children
        for name, wanted in found["crc32"].items():
            if checksum(folder / name) != wanted:
                raise InputError(
                    f"{folder / name}: not what was made (another checksum); delete the folder, it "
                    "is made anew"
                )
        where = int(kernel.verify(*arrays, starts, self.vocab_size, self.separator))
        if where >= 0:
            raise InputError(
                f"{folder}: n-gram {where} is out of order; delete the folder, it is made anew"
            )
        seen.remember(place)

    def _lowest(self, first: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """Unigrams: what counts give each token, and what discounts give all alike."""
        counts = np.zeros(self.vocab_size + 1)
        counts[first] = self._counts[: len(first)]
        counts = counts[:-1]
        taken = self.discounts[0][np.minimum(counts, 3).astype(int)]
        total = max(counts.sum(), 1)
        return (counts - taken) / total, float(taken.sum() / total / self.vocab_size)

    @property
    def arrays(self) -> Any:
        """What the kernels need: tokens, counts, children, discounts, unigrams."""
        return self._tokens, self._counts, self._children, self.discounts, self.unigram

    def contexts(self, ids: Sequence[int] | NDArray, begins: bool = False) -> NDArray[np.int64]:
        """Places of the last 1 to ``order`` - 1 tokens in the tables, -1 where there is none.

        Parameters
        ----------
        ids : int array of shape (n,)
        begins : bool
            Whether ``ids`` begin a document.
        """
        return self.find(as_tokens(ids[-(self.order - 1) :]), begins)

    def find(self, tokens: NDArray[np.int64], begins: bool = False) -> NDArray[np.int64]:
        """`contexts` of tokens that were looked at before."""
        context = tokens[-(self.order - 1) :]
        if begins and len(context) < self.order - 1:
            context = np.concatenate([[self.vocab_size], context])
        nodes = np.empty(self.order - 1, np.int64)
        kernel.find_contexts(self._tokens, self._children, self.root, context, nodes)
        return nodes

    def after(self, nodes: NDArray[np.int64], lengths: NDArray[np.int64]) -> csr_array:
        """What followed some contexts: the shares of their tokens, less what is discounted.

        Parameters
        ----------
        nodes : int array of shape (n,)
            Contexts that something follows, of `contexts`.
        lengths : int array of shape (n,)
            Tokens of each.

        Returns
        -------
        sparse float32 array of shape (n, vocab_size)
            A row sums to 1 less the weight that is left to shorter contexts.
        """
        sizes = self._children[nodes + 1] - self._children[nodes]
        ends = np.append(0, np.cumsum(sizes, dtype=np.int64))
        tokens, shares = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
        kernel.share(*self.arrays[:-1], nodes, lengths, tokens, shares)
        return csr_array((shares, tokens, ends), shape=(len(nodes), self.vocab_size))

    def distribution(
        self, ids: Sequence[int] | NDArray, begins: bool = False
    ) -> NDArray[np.float64]:
        """Probability of every token after ``ids``, shape (vocab_size,); see `contexts`."""
        out = np.empty(self.vocab_size)
        work = np.empty((2, self.order - 1))
        kernel.spread(*self.arrays, self.contexts(ids, begins), out, *work)
        return out
