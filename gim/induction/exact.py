"""Exact induction: the longest suffix of the context that occurred in it before.

Kim, Mantena et al. 2025 (arXiv 2411.00066), "induction-only (exact)". The suffix tree lives in
`gim._kernels.suffix_tree` and `gim._kernels.suffix_query`; this is its public face.
"""

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim._kernels import hash_table, suffix_query, suffix_score, suffix_tree
from gim.scores import Scores
from gim.text.tokenizer import as_tokens

# Compiled functions carry no types.
table: Any = hash_table
tree: Any = suffix_tree
query: Any = suffix_query
scoring: Any = suffix_score
END_OF_TEXT = 2**32 - 1  # no token: see `gim.text.tokenizer.MAX_TOKEN`


class ExactInduction:
    """Incremental exact induction over a growing or sliding context.

    Parameters
    ----------
    window : int, optional
        The context is the last ``window`` tokens: both the suffix and its match lie inside it.
        ``None`` keeps everything.

    Notes
    -----
    A push costs amortised O(1). `counts` and `matches` cost what they return; so does each target
    of `score` in a window, while without one it costs about O(log n) on average over a text of n
    tokens. Memory is O(window), or O(n) without a window. A match always has
    a continuation, because it ends before the last token of the context. Where no suffix matches,
    the answer is the unigram counts of the context, so it is empty only for an empty context.
    """

    def __init__(self, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise ValueError(f"window must be at least 1 token, not {window}")
        self.window = window
        self._allocate(1024 if window is None else window + 1)

    def __len__(self) -> int:
        """Number of tokens in the context (at most ``window``)."""
        return int(self._reg[tree.END] - self._reg[tree.BEGIN])

    def copy(self) -> "ExactInduction":
        """An independent copy, O(context)."""
        other = copy(self)
        for name in ("_text", "_leaf", "_node", "_keys", "_values", "_tally", "_reg"):
            setattr(other, name, getattr(self, name).copy())
        return other

    @property
    def n_seen(self) -> int:
        """Number of tokens pushed so far."""
        return int(self._reg[tree.END])

    @property
    def suffix_len(self) -> int:
        """Length of the longest suffix seen before; the effective n is this plus 1."""
        return int(query.active_depth(self._node, self._reg))

    def push(self, token: int) -> int:
        """Consume one token and return the new suffix length."""
        return int(self.extend([token])[0])

    def extend(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Consume tokens.

        Returns
        -------
        suffix_len : int array of shape (len(ids),)
            After each token, the length of the longest suffix that occurred before.
        """
        tokens = as_tokens(ids)
        self.reserve(len(tokens))
        lengths = np.empty(len(tokens), np.int64)
        query.consume(*self.arrays, self.window or 0, tokens, lengths)
        return lengths

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What followed the longest match, and how often.

        Returns
        -------
        ids, counts : int arrays of shape (k,)
            Ordered by falling count, then by id. ``k`` is 0 only for an empty context.
        """
        scratch = np.empty((2, len(self) + 1), np.int64)
        n = query.followers(*self._tree, self._tally, self._reg, scratch)
        found = scratch[:, :n][:, np.lexsort((scratch[0, :n], -scratch[1, :n]))]
        return found[0], found[1]

    def read(self, ids: ArrayLike, size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Consume tokens and say of each what was expected before it.

        Parameters
        ----------
        ids : int array of shape (n,)
        size : int
            Every token, also those consumed before, is below it.

        Returns
        -------
        shares : float array of shape (n, size)
            `counts` before each token, as shares; zeros before the first one of all.
        suffix_len : int array of shape (n,)
            Before each token.
        """
        tokens = as_tokens(ids)
        if len(tokens) and int(tokens.max()) >= size:
            raise ValueError(f"token {tokens.max()} is not below {size}")
        self.reserve(len(tokens))
        lengths, shares = np.empty(len(tokens), np.int64), np.zeros((len(tokens), size))
        scratch = np.empty_like(self._tally)
        query.consume_and_share(*self.arrays, self.window or 0, tokens, scratch, lengths, shares)
        return shares, lengths

    def matches(self) -> NDArray[np.int64]:
        """Absolute positions, ascending, of the tokens that followed the matches.

        A match of position ``p`` covers the tokens ``p - suffix_len`` to ``p - 1``. With suffix
        length 0 every position of the context is one.
        """
        return query.match_ends(*self._tree, self._reg)

    def score(self, ids: ArrayLike, targets: ArrayLike) -> Scores:
        """Consume tokens and rank, after each, its target among what followed its matches.

        Parameters
        ----------
        ids : int array of shape (n,)
        targets : int array of shape (n,)
            Usually the next token; -1 where nothing is to be scored.

        Returns
        -------
        scores : Scores of length n
            Rows of unscored positions hold only ``suffix_len``.
        """
        tokens, goals = as_tokens(ids), np.asarray(targets, np.int64)
        if goals.shape != tokens.shape:
            raise ValueError(f"{len(goals)} targets for {len(tokens)} tokens")
        ranks = np.zeros((len(tokens), 5), np.int64)
        ranks[:, 0] = -1
        if self.window is None and len(tokens) >= self.n_seen:
            return self._score_whole(tokens, goals, ranks)
        self.reserve(len(tokens))
        lengths = np.empty(len(tokens), np.int64)
        scratch = np.empty_like(self._tally)
        query.consume_and_score(
            *self.arrays, self.window or 0, tokens, goals, scratch, lengths, ranks
        )
        return Scores.from_ranks(lengths, ranks)

    def _score_whole(self, tokens: NDArray, goals: NDArray, ranks: NDArray) -> Scores:
        """`score` where most of the context is new: each occurrence of a match is counted once."""
        begin, lengths = self.n_seen, self.extend(tokens)
        finished = self.copy()
        finished.reserve(1)
        tree.push(*finished.arrays, 0, END_OF_TEXT)  # now every suffix has a leaf
        places = np.flatnonzero(goals >= 0)
        leaves = np.empty(self.n_seen + 1, np.int64)
        ranges = np.zeros((len(finished._node), 2), np.int64)
        starts = begin + places - lengths[places] + 1
        nodes = scoring.locate(finished._node, starts, lengths[places], leaves, ranges)
        order = np.lexsort((places, lengths[places], nodes))
        places, nodes = places[order], nodes[order]
        known, codes = np.unique(self._text[: self.n_seen], return_inverse=True)
        wanted = np.searchsorted(known, goals[places]).clip(max=len(known) - 1)
        wanted = np.where(known[wanted] == goals[places], wanted, -1)
        found = np.empty((len(places), 5), np.int64)
        scoring.rank_in_order(
            scoring.minima(leaves), ranges, nodes, lengths[places], begin + places,
            wanted, codes, known, found,
        )  # fmt: skip
        ranks[places] = found
        return Scores.from_ranks(lengths, ranks)

    @property
    def _tree(self) -> Any:
        return self._text, self._node, self._keys, self._values

    @property
    def arrays(self) -> Any:
        """Suffix tree, unigram counts and registers, for compiled kernels."""
        arrays = self._text, self._leaf, self._node, self._keys, self._values
        return *arrays, self._tally, self._reg

    def _allocate(self, capacity: int) -> None:
        """Empty arrays for a context of up to ``capacity`` tokens."""
        ring = 1 << max(4, (capacity - 1).bit_length())
        self._text = np.zeros(ring, np.int64)
        self._leaf = np.zeros(ring, np.int64)
        self._node = np.zeros((2 * ring + 2, tree.NODE_FIELDS), np.int64)
        self._chain_free(tree.ROOT + 1)
        self._keys = np.full(8 * ring, 2**64 - 1, np.uint64)
        self._values = np.zeros(8 * ring, np.int64)
        self._tally = np.zeros((2, ring + 1), np.int64)
        self._reg = np.zeros(tree.REGISTERS, np.int64)
        self._reg[tree.ACTIVE] = tree.ROOT
        self._reg[tree.FREE] = tree.ROOT + 1

    def _chain_free(self, first: int) -> None:
        self._node[first:, tree.NEXT] = np.arange(first + 1, len(self._node) + 1)

    def reserve(self, extra: int) -> None:
        """Make room for ``extra`` more tokens, without a window (doubling: amortised O(1))."""
        needed = self.n_seen + extra + 1
        if self.window is not None or needed <= len(self._text):
            return
        old = self._text, self._leaf, self._node, self._keys, self._values, self._tally, self._reg
        self._allocate(needed)
        text, leaf, node, keys, values, tally, reg = old
        self._text[: len(text)] = text
        self._leaf[: len(leaf)] = leaf
        self._tally[:, : tally.shape[1]] = tally
        free = int(reg[tree.FREE])
        self._node[: len(node)] = node
        # Without deletions the free rows are those never used, in order.
        self._chain_free(free)
        self._reg[:] = reg
        table.rehash(keys, values, self._keys, self._values)
