"""Infini-Gram: the longest suffix of the context that occurs in a reference corpus.

Liu et al. 2024 (arXiv 2401.17377). The index is that of the package ``infini-gram``; the queries
here read its files directly (memory-mapped, compiled), so that counts are exact whatever their
size and only matches with a continuation inside their document count. The package's own engine
samples beyond ``max_support`` and counts the end of a document as a continuation; it remains at
hand as `InfiniGram.engine`, constructed only after the index has been checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim._kernels import suffix_array as array
from gim._kernels.rank import rank_all
from gim.errors import InputError
from gim.infinigram.index import check_index, open_parts
from gim.scores import Scores
from gim.text.tokenizer import Tokenizer, as_tokens

Counts = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Match:
    """The longest match of a suffix: its length and, by index, the range in the suffix array."""

    length: int
    ranges: tuple[tuple[int, int], ...]

    @property
    def total(self) -> int:
        """Number of occurrences with a continuation."""
        return sum(hi - lo for lo, hi in self.ranges)


@dataclass(frozen=True)
class Passage:
    """One place of a reference corpus: ``tokens[focus]`` is the token that followed the match."""

    index: str
    document: int
    position: int
    tokens: NDArray[np.int64]
    focus: int


class _Shard:
    """One index on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = check_index(path)
        self.text, self.table, self.offsets = open_parts(path, self.description)
        self.arrays = self.text, self.table, len(self.table) // len(self.text)
        # Where each token begins in the table: filled in by the queries.
        self.firsts = np.full((self.description["vocab_size"], 2), -1, np.int64)
        self.separator = int(np.iinfo(self.text.dtype).max)

    @cached_property
    def unigrams(self) -> Counts:
        """Every token of the corpus and its count, without the separators."""
        size = self.description["vocab_size"]
        totals = np.zeros(size, np.int64)
        for begin in range(0, len(self.text), 1 << 22):
            part = self.text[begin : begin + (1 << 22)]
            totals += np.bincount(part[part != self.separator], minlength=size)
        ids = np.flatnonzero(totals)
        return ids, totals[ids]


class InfiniGram:
    """Exact queries on one or several indexes; the longest match wins, equal ones add up.

    Parameters
    ----------
    paths : path or list of paths
        Directories that `gim.infinigram.index.build_index` wrote, all with the same tokenizer.
    tokenizer : Tokenizer, optional
        If given, the indexes must have been built with the same vocabulary.

    Raises
    ------
    InputError
        When an index is missing, truncated, or of another tokenizer. Nothing is ever looked up on
        the web instead.
    """

    exact = True  # no query is sampled or approximate

    def __init__(
        self, paths: str | Path | Sequence[str | Path], tokenizer: Tokenizer | None = None
    ) -> None:
        several = [paths] if isinstance(paths, str | Path) else list(paths)
        if not several:
            raise InputError("no index given; build one with `gim index CORPUS... --out PATH`")
        self._shards = [_Shard(Path(path)) for path in several]
        prints = [shard.description["fingerprint"] for shard in self._shards]
        wanted = prints[0] if tokenizer is None else tokenizer.fingerprint
        for shard, fingerprint in zip(self._shards, prints, strict=True):
            if fingerprint != wanted:
                other = self._shards[0].path if tokenizer is None else tokenizer.name
                raise InputError(
                    f"{shard.path}: built with tokenizer {shard.description['tokenizer']}, whose "
                    f"ids differ from those of {other}; use that tokenizer or build it again"
                )
            size = shard.description["vocab_size"]
            if tokenizer is not None and size != tokenizer.vocab_size:
                raise InputError(
                    f"{shard.path}: wrong size of the vocabulary in gim.json, {size} for the "
                    f"{tokenizer.vocab_size} of {tokenizer.name}; build the index again"
                )
        self.vocab_size = int(self._shards[0].description["vocab_size"])

    @property
    def n_tokens(self) -> int:
        """Tokens of the reference corpora, without separators."""
        return sum(shard.description["tokens"] for shard in self._shards)

    @property
    def paths(self) -> list[Path]:
        """Folders of the indexes."""
        return [shard.path for shard in self._shards]

    @property
    def shares(self) -> list[float]:
        """Share of each index in all tokens."""
        return [shard.description["tokens"] / self.n_tokens for shard in self._shards]

    def documents(self) -> Iterator[NDArray]:
        """Tokens of every document of the corpora, one after the other."""
        for shard in self._shards:
            starts = (shard.offsets // shard.text.itemsize).tolist()
            for begin, end in pairwise([*starts, len(shard.text)]):
                yield shard.text[begin + 1 : end]  # after the separator

    def _check(self, ids: ArrayLike) -> NDArray[np.int64]:
        tokens = as_tokens(ids)
        if len(tokens) and int(tokens.max()) >= self.vocab_size:
            where = int(tokens.argmax())
            raise InputError(
                f"token id {tokens[where]} at position {where} is not below {self.vocab_size}, "
                "the vocabulary of the index: another tokenizer's ids"
            )
        return tokens

    def count(self, ids: ArrayLike) -> int:
        """Occurrences of a non-empty sequence that go on inside their document."""
        tokens = self._check(ids)
        if len(tokens) == 0:
            raise InputError("the empty sequence has no count; ask n_tokens")
        found = (array.find(*shard.arrays, shard.firsts, tokens) for shard in self._shards)
        return sum(int(hi - lo) for lo, hi in found)

    def longest(self, ids: ArrayLike, limit: int | None = None) -> Match:
        """The longest suffix of ``ids`` that occurs with a continuation.

        Parameters
        ----------
        ids : int array of shape (n,)
        limit : int, optional
            Longest suffix to try; in a stream, the previous length + 1 suffices.
        """
        tokens = self._check(ids)
        start = len(tokens) if limit is None else limit
        found = [
            array.longest(*shard.arrays, shard.firsts, tokens, 0, len(tokens), start)
            for shard in self._shards
        ]
        length = int(max(n for n, _, _ in found))
        return Match(
            length, tuple((int(a), int(b)) if n == length else (0, 0) for n, a, b in found)
        )

    def followed(self, ids: ArrayLike) -> Match:
        """Where all tokens but the last are followed by the last: a match of those before it."""
        tokens = self._check(ids)
        found = (array.find(*shard.arrays, shard.firsts, tokens) for shard in self._shards)
        return Match(len(tokens) - 1, tuple((int(a), int(b)) for a, b in found))

    def followers(self, match: Match) -> Counts:
        """What followed a match, and how often.

        Returns
        -------
        ids, counts : int arrays of shape (k,)
            Ordered by falling count, then by id. For length 0, the unigrams of the corpora.
        """
        ids, counts = self.counts_after(match)
        order = np.lexsort((ids, -counts))
        return ids[order], counts[order]

    def counts_after(self, match: Match) -> Counts:
        """`followers` in any order."""
        parts = []
        for shard, (lo, hi) in zip(self._shards, match.ranges, strict=True):
            if match.length == 0:
                parts.append(shard.unigrams)
            elif hi > lo:
                parts.append(array.followers(*shard.arrays, match.length, lo, hi))
        return parts[0] if len(parts) == 1 else _merge(parts)

    def score(self, ids: ArrayLike, targets: ArrayLike, window: int | None = None) -> Scores:
        """Rank after each token its target among what followed the longest match.

        Parameters
        ----------
        ids, targets : int arrays of shape (n,)
            As in `gim.induction.exact.ExactInduction.score`.
        window : int, optional
            Only the last ``window`` tokens are the query.
        """
        tokens, goals = self._check(ids), np.asarray(targets, np.int64)
        if goals.shape != tokens.shape:
            raise ValueError(f"{len(goals)} targets for {len(tokens)} tokens")
        found = np.zeros((len(self._shards), len(tokens), 3), np.int64)
        for rows, shard in zip(found, self._shards, strict=True):
            array.longest_all(*shard.arrays, shard.firsts, tokens, window or 0, rows)
        lengths = found[:, :, 0].max(axis=0)
        found[:, :, 1:] *= (found[:, :, 0] == lengths)[:, :, None]
        ranks = np.zeros((len(tokens), 5), np.int64)
        ranks[:, 0] = -1
        self._rank_groups(lengths, found, goals, ranks)
        return Scores.from_ranks(lengths, ranks)

    def _rank_groups(self, lengths, found, goals, ranks) -> None:
        """Positions with the same match share one distribution: each is read off once."""
        scored = np.flatnonzero(goals >= 0)
        keys = np.column_stack([lengths, *(rows[:, 1:] for rows in found)])[scored]
        order = np.lexsort(keys.T[::-1])
        changes = np.any(np.diff(keys[order], axis=0) != 0, axis=1)
        for group in np.split(scored[order], np.flatnonzero(changes) + 1):
            if len(group) == 0:
                continue
            first = group[0]
            ranges = tuple((int(rows[first, 1]), int(rows[first, 2])) for rows in found)
            ids, counts = self.counts_after(Match(int(lengths[first]), ranges))
            out = np.empty((len(group), 5), np.int64)
            rank_all(ids, counts, goals[group], out)
            ranks[group] = out

    def passages(self, match: Match, limit: int = 5, around: int = 24) -> list[Passage]:
        """Up to ``limit`` places of a match, each with ``around`` tokens on both sides."""
        places = []
        for shard, (lo, hi) in zip(self._shards, match.ranges, strict=True):
            # Spread over the range: neighbours in the suffix array have the same continuation.
            for i in np.unique(np.linspace(lo, hi - 1, min(limit, hi - lo)).astype(int)):
                focus = int(array.entry(*shard.arrays, int(i))) + match.length
                places.append(_passage(shard, focus, around))
        return places[:limit]

    def engine(self, eos_token_id: int = 0) -> Any:
        """The package's own engine on the checked indexes (its counts may be approximate)."""
        from infini_gram.engine import InfiniGramEngine

        return InfiniGramEngine(
            index_dir=[str(shard.path) for shard in self._shards],
            eos_token_id=eos_token_id,
            vocab_size=self.vocab_size,
            token_dtype=self._shards[0].description["token_dtype"],
        )


def _merge(parts: list[Counts]) -> Counts:
    ids, inverse = np.unique(np.concatenate([i for i, _ in parts]), return_inverse=True)
    counts = np.zeros(len(ids), np.int64)
    np.add.at(counts, inverse, np.concatenate([c for _, c in parts]))
    return ids, counts


def _passage(shard: _Shard, focus: int, around: int) -> Passage:
    """Tokens around ``focus``, cut at the ends of the document."""
    starts = shard.offsets // shard.text.itemsize
    document = int(np.searchsorted(starts, focus, side="right")) - 1
    first = int(starts[document]) + 1
    last = int(starts[document + 1]) if document + 1 < len(starts) else len(shard.text)
    begin, end = max(first, focus - around), min(last, focus + around + 1)
    tokens = shard.text[begin:end].astype(np.int64)
    return Passage(shard.path.name, document, focus - first, tokens, focus - begin)
