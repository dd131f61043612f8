"""Encoding a growing text: every token once, with flat memory.

What an encoder needs of the past are a few rows a layer, kept by the stream. Only the last words
are kept as text, because more text may still change how they split into tokens.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gim.text.align import TokenTree, build_tree

Output = Literal["vectors", "states"]

CHUNK = 512  # trunk tokens in one forward pass: what fits the processor's cache
SECTION = 8192  # pieces aligned at once
UNSETTLED = 3  # words: "'" and "l" become "'ll" with the next letter


class EncoderStream:
    """Turns pieces of a text into the vector after each.

    Parameters
    ----------
    encoder : Encoder
    output : {"vectors", "states"}
        See `gim.encoder.encoder.Encoder.say`.
    """

    def __init__(self, encoder: Any, output: Output = "vectors") -> None:
        self._encoder, self._output = encoder, output
        self._text = ""
        self._past = encoder.start()

    def push(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        """Append pieces of text; return the output after each, shape (n_pieces, size)."""
        parts = [
            self._push_section(pieces[i : i + SECTION]) for i in range(0, len(pieces), SECTION)
        ]
        return np.concatenate([np.empty((0, self._encoder.size(self._output)), np.float32), *parts])

    def _push_section(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        ends = len(self._text) + np.cumsum([len(piece) for piece in pieces])
        text = self._text + "".join(pieces)
        segmenter = self._encoder.segmenter
        tree = build_tree(text, ends, segmenter)
        self._text, settled = segmenter.settle(text, UNSETTLED)
        said, self._past = encode_tree(
            self._encoder, tree, self._past, settled, output=self._output
        )
        return said


@torch.inference_mode()
def encode_tree(
    encoder: Any,
    tree: TokenTree,
    past: list[Tensor],
    settled: int = 0,
    chunk: int = CHUNK,
    output: Output = "vectors",
) -> tuple[NDArray[np.float32], list[Tensor]]:
    """An output at ``tree.node_at`` after a past.

    Parameters
    ----------
    past : list of tensors
        Of the tokens before the tree; see `gim.encoder.encoder.Encoder.grow`.
    settled : int
        Number of trunk tokens after which the past is returned.

    Returns
    -------
    said : float32 array of shape (n_ends, size of the output)
        Zeros where there is no token at all.
    past : list of tensors
    """
    out = np.zeros((len(tree.node_at), encoder.size(output)), np.float32)
    kept = past
    at_trunk, known = np.full(len(tree.node_at), -1), tree.node_at >= 0
    at_trunk[known] = tree.trunk_of[tree.node_at[known]]
    hangs = tree.trunk_of[tree.n_trunk :]
    for begin in range(0, max(tree.n_trunk, 1), chunk):
        end = min(begin + chunk, tree.n_trunk)
        first = -1 if begin == 0 else begin  # branches may leave before the first token
        side = tree.n_trunk + np.flatnonzero((hangs >= first) & (hangs < end))
        nodes = np.concatenate([np.arange(begin, end), side])
        if len(nodes) == 0:
            continue
        wanted = _tensors(encoder, tree, nodes, side, begin, past)
        said, memory = encoder.grow(*wanted, past, output)
        here = known & (at_trunk >= first) & (at_trunk < end)
        row = np.searchsorted(nodes, tree.node_at[here])
        out[here] = said.cpu().numpy()[row]
        rows = len(past[0])
        if begin < settled <= end:
            kept = _last(memory, rows + settled - begin, encoder)
        past = _last(memory, rows + end - begin, encoder)
    return out, kept


def _last(memory: list[Tensor], end: int, encoder: Any) -> list[Tensor]:
    """The rows before ``end`` that later tokens may see, without the rest held in memory."""
    begin = max(0, end - encoder.config.window + 1)
    return [rows[begin:end].clone() for rows in memory]


def _tensors(
    encoder: Any, tree: TokenTree, nodes: NDArray, side: NDArray, begin: int, past: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Ids of the nodes, and the rows that those of the branches see."""
    offset, line = len(past[0]), len(nodes) - len(side)
    branches = np.empty((len(side), encoder.config.window), np.int64)
    now = side
    for back in range(branches.shape[1]):
        on_branch = now >= tree.n_trunk
        place = offset + line + np.searchsorted(side, now)
        # Trunk tokens are numbered on into the past: -1 is the last one before the tree.
        branches[:, back] = np.where(on_branch, place, np.maximum(offset + now - begin, -1))
        now = np.where(on_branch, tree.parent[np.where(on_branch, now, 0)], now - 1)
    device = past[0].device
    return torch.from_numpy(tree.ids[nodes]).to(device), torch.from_numpy(branches).to(device)
