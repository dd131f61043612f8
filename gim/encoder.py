"""The fuzzy matching model: a small causal Transformer that turns every position into a vector.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2: cosine similarity of two vectors stands
for the similarity of the next-token distributions there. Attention is limited to a window in every
layer, so that a vector depends on the last 64 tokens only, wherever the text was cut, and each
position is encoded once.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gim.align import Segmenter, TokenTree, build_tree
from gim.errors import InputError
from gim.files import atomic_directory, write_json
from gim.tokenizer import Tokenizer, load_tokenizer

RECEPTIVE = 64
MODEL_TYPE = "gim-encoder"


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of an `Encoder`.

    Attributes
    ----------
    window : int
        Tokens that a layer attends to, the current one included. The receptive field,
        ``layers * (window - 1) + 1``, must not exceed 64 tokens.
    dim : int
        Length of the output vectors.
    temperature : float
        T of the similarity exp(-(1 - cos) / T).
    """

    vocab_size: int
    width: int = 256
    layers: int = 3
    heads: int = 4
    window: int = 22
    dim: int = 128
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InputError(f"width {self.width} is not a multiple of {self.heads} heads")
        if not 1 <= self.receptive <= RECEPTIVE:
            raise InputError(
                f"{self.layers} layers with a window of {self.window} see {self.receptive} tokens; "
                f"at most {RECEPTIVE} are allowed"
            )

    @property
    def receptive(self) -> int:
        """Tokens that a vector depends on."""
        return self.layers * (self.window - 1) + 1


class _Block(nn.Module):
    """Pre-norm Transformer block whose attention sees ``window`` ancestors of each token."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        # Relative positions: a bias, and a key of its own, for every distance.
        self.bias = nn.Parameter(torch.zeros(config.window, config.heads))
        self.distance = nn.Parameter(
            0.02 * torch.randn(config.window, config.heads, config.width // config.heads)
        )
        self.norm2 = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, 4 * config.width)
        self.down = nn.Linear(4 * config.width, config.width)

    def forward(self, x: Tensor, ancestors: Tensor) -> Tensor:
        """Map x of shape (n, width); ``ancestors`` (n, window) holds row numbers or -1."""
        n, width = x.shape
        split = n, -1, self.heads, width // self.heads
        q, k, v = self.qkv(self.norm1(x)).split(width, dim=-1)
        rows = ancestors.clamp(min=0).view(-1)
        q = q.view(split)
        keys = k.index_select(0, rows).view(split)  # (n, window, heads, size)
        values = v.index_select(0, rows).view(split)
        scores = (q * (keys + self.distance)).sum(-1) / split[3] ** 0.5 + self.bias
        weights = scores.masked_fill((ancestors < 0)[:, :, None], float("-inf")).softmax(1)
        mixed = (weights[..., None] * values).sum(1).view(n, width)
        x = x + self.out(mixed)
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Encoder(nn.Module):
    """Token sequences to unit vectors, with a tokenizer of its own.

    Parameters
    ----------
    config : EncoderConfig
    tokenizer : Tokenizer, optional
        The shipped byte-level BPE by default.
    """

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer | None = None) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or load_tokenizer()
        if self.tokenizer.vocab_size > config.vocab_size:
            raise InputError(
                f"tokenizer {self.tokenizer.name} has {self.tokenizer.vocab_size} ids, the encoder "
                f"{config.vocab_size}"
            )
        self.segmenter = Segmenter(self.tokenizer)
        self.embed = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, config.dim, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)

    @classmethod
    def create(cls, tokenizer: Tokenizer | None = None, seed: int = 0, **shape) -> "Encoder":
        """A randomly initialised encoder; ``shape`` are fields of `EncoderConfig`."""
        tokenizer = tokenizer or load_tokenizer()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return cls(EncoderConfig(tokenizer.vocab_size, **shape), tokenizer)

    def forward(self, ids: Tensor, ancestors: Tensor | None = None) -> Tensor:
        """Unit vectors of tokens.

        Parameters
        ----------
        ids : int tensor of shape (batch, length), or (n,) with ``ancestors``
            Independent sequences; or the nodes of a token tree.
        ancestors : int tensor of shape (n, window), optional
            Row numbers of each node itself, its parent, its grandparent...; -1 where there is none.

        Returns
        -------
        vectors : tensor of shape (*ids.shape, dim)
        """
        shape = ids.shape
        if ancestors is None:
            ancestors = self._line_ancestors(*shape).to(ids.device)
        x = self.embed(ids.reshape(-1))
        for block in self.blocks:
            x = block(x, ancestors)
        return nn.functional.normalize(self.project(self.norm(x)).float(), dim=-1).view(*shape, -1)

    def _line_ancestors(self, batch: int, length: int) -> Tensor:
        """Ancestors in ``batch`` separate lines of tokens."""
        position = torch.arange(length)[:, None] - torch.arange(self.config.window)
        rows = position + length * torch.arange(batch)[:, None, None]
        return torch.where(position >= 0, rows, -1).view(batch * length, -1)

    def stream(self) -> "EncoderStream":
        """A reader that takes a text piece by piece."""
        return EncoderStream(self)

    def vectors(self, text: str, ends: Sequence[int] | NDArray) -> NDArray[np.float32]:
        """One vector for each prefix ``text[:end]``, shape (n_ends, dim).

        ``ends`` must ascend. Prefixes without a token get zeros.
        """
        offsets = np.asarray(ends, np.int64)
        if np.any(np.diff(offsets, prepend=0) < 0) or np.any(offsets > len(text)):
            raise ValueError("ends must ascend from 0 to the length of the text")
        cuts = np.append(0, offsets)
        pieces = [text[a:b] for a, b in pairwise(cuts)]
        return self.stream().push(pieces)

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-(1 - cos) / T) between states, shape (n_queries, n_keys)."""
        cosine = queries @ keys.T
        cosine -= 1
        cosine /= np.float32(self.config.temperature)
        return np.exp(cosine, out=cosine)

    def save_pretrained(self, path: str | Path) -> None:
        """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json`` into a directory."""
        from safetensors.torch import save_file

        with atomic_directory(path) as folder:
            write_json(folder / "config.json", {"model_type": MODEL_TYPE, **asdict(self.config)})
            weights = {name: w.contiguous() for name, w in self.state_dict().items()}
            save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
            self.tokenizer.fast.save(str(folder / "tokenizer.json"))

    @classmethod
    def from_pretrained(
        cls, path: str | Path, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> "Encoder":
        """Load what `save_pretrained` wrote.

        Raises
        ------
        InputError
            When the directory does not hold a complete encoder.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(path)
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            if not (folder / name).is_file():
                raise InputError(f"{folder / name}: missing; {path} is not a saved encoder")
        try:
            values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if values.get("model_type") != MODEL_TYPE:
                raise InputError(f"{folder / 'config.json'}: not of type {MODEL_TYPE}")
            known = {f.name for f in fields(EncoderConfig)}
            config = EncoderConfig(**{k: v for k, v in values.items() if k in known})
            encoder = cls(config, load_tokenizer(folder / "tokenizer.json"))
            encoder.load_state_dict(load_file(folder / "model.safetensors"))
        except (ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{path}: damaged encoder ({error})") from error
        return encoder.to(device, dtype).eval()


class EncoderStream:
    """Encodes a growing text with flat memory: only the words that still matter are kept."""

    chunk = 2048  # trunk tokens in one forward pass
    section = 8192  # pieces aligned at once
    keep = 2048  # characters beyond which the text is cut to what still matters

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._text = ""

    def push(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        """Append pieces of text; return the vector after each, shape (n_pieces, dim)."""
        parts = [
            self._push_section(pieces[i : i + self.section])
            for i in range(0, len(pieces), self.section)
        ]
        empty = np.empty((0, self._encoder.config.dim), np.float32)
        return np.concatenate([empty, *parts])

    def _push_section(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        ends = len(self._text) + np.cumsum([len(piece) for piece in pieces])
        text = self._text + "".join(pieces)
        vectors = encode_tree(
            self._encoder, build_tree(text, ends, self._encoder.segmenter), self.chunk
        )
        self._text = text
        if len(text) > self.keep:
            self._text = self._encoder.segmenter.recent(text, RECEPTIVE + 2)
        return vectors


@torch.inference_mode()
def encode_tree(encoder: Encoder, tree: TokenTree, chunk: int) -> NDArray[np.float32]:
    """Vectors of ``tree.node_at``, computed in chunks of the trunk with their own past.

    Returns
    -------
    vectors : float32 array of shape (n_ends, dim)
    """
    n, past = tree.n_trunk, encoder.config.receptive - 1
    out = np.zeros((len(tree.node_at), encoder.config.dim), np.float32)
    anchor = np.where(tree.node_at < 0, -1, tree.trunk_of[tree.node_at])  # where each end hangs
    wanted = tree.node_at >= 0
    device = encoder.embed.weight.device
    first = int(max(0, anchor[wanted].min(initial=n)))
    for begin in range(first, max(n, 1), chunk):
        end = min(begin + chunk, n)
        here = wanted & (anchor < end) & ((anchor >= begin) | (begin == first))
        if not here.any():
            continue
        low = max(0, begin - past)
        hangs = tree.trunk_of[n:]
        branches = n + np.flatnonzero((hangs < end) & ((hangs >= begin) | (begin == first)))
        nodes = np.concatenate([np.arange(low, end), branches])
        row = np.full(len(tree.ids) + 1, -1)  # the last entry stands for "no parent"
        row[nodes] = np.arange(len(nodes))
        line = np.empty((len(nodes), encoder.config.window), np.int64)
        line[:, 0] = nodes
        for back in range(1, line.shape[1]):
            line[:, back] = np.where(line[:, back - 1] < 0, -1, tree.parent[line[:, back - 1]])
        vectors = encoder(
            torch.from_numpy(tree.ids[nodes]).to(device), torch.from_numpy(row[line]).to(device)
        )
        out[here] = vectors.cpu().numpy()[row[tree.node_at[here]]]
    return out
