"""The fuzzy matching model: a small causal Transformer that turns every position into a vector.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2: cosine similarity of two vectors stands
for the similarity of the next-token distributions there. Attention is limited to a window in every
layer, so that a vector depends on the last few hundred tokens at most, wherever the text was cut,
and each position is encoded once. An encoder may also foretell the states of its teacher's inner
layer, which know more of what a text is about than the next word does.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gim.encoder.layer import Layer
from gim.encoder.storage import Storage, names_of, pack, unpack
from gim.encoder.stream import EncoderStream, Output
from gim.errors import InputError
from gim.files import SHIPPED, atomic_directory, write_json
from gim.text.align import Segmenter
from gim.text.tokenizer import Tokenizer, load_tokenizer

RECEPTIVE = 256
MODEL_TYPE = "gim-encoder"


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of an `Encoder`.

    Attributes
    ----------
    window : int
        Tokens that a layer attends to, the current one included. The receptive field,
        ``layers * (window - 1) + 1``, must not exceed 256 tokens.
    dim : int
        Length of the output vectors.
    temperature : float
        T of the similarity exp(-(1 - cos) / T).
    state_dim : int
        Numbers of the teacher's states that it foretells; 0 for none.
    """

    vocab_size: int
    width: int = 256
    layers: int = 3
    heads: int = 4
    window: int = 22
    dim: int = 128
    temperature: float = 0.1
    state_dim: int = 0

    def __post_init__(self) -> None:
        for name in ("vocab_size", "width", "layers", "heads", "window", "dim"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}; it must be a whole number of at least 1")
        if not isinstance(self.state_dim, int) or self.state_dim < 0:
            raise InputError(f"state_dim is {self.state_dim!r}; it must be a whole number or 0")
        if not 0 < self.temperature < math.inf:
            raise InputError(f"temperature is {self.temperature}; it must be above 0 and finite")
        if self.width % self.heads:
            raise InputError(f"width {self.width} is not a multiple of {self.heads} heads")
        if self.layers > RECEPTIVE or self.receptive > RECEPTIVE:
            raise InputError(
                f"{self.layers} layers with a window of {self.window} see {self.receptive} tokens; "
                f"at most {RECEPTIVE} are allowed"
            )

    @property
    def receptive(self) -> int:
        """Tokens that a vector depends on."""
        return self.layers * (self.window - 1) + 1


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
        self.blocks = nn.ModuleList(
            Layer(config.width, config.heads, config.window) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, config.dim, bias=False)
        self.foretell = nn.Linear(config.width, config.state_dim) if config.state_dim else None
        nn.init.normal_(self.embed.weight, std=0.02)

    @classmethod
    def create(cls, tokenizer: Tokenizer | None = None, seed: int = 0, **shape) -> "Encoder":
        """A randomly initialised encoder; ``shape`` are fields of `EncoderConfig`."""
        tokenizer = tokenizer or load_tokenizer()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return cls(EncoderConfig(tokenizer.vocab_size, **shape), tokenizer)

    def forward(self, ids: Tensor) -> Tensor:
        """Unit vectors of independent sequences: (batch, length) to (batch, length, dim)."""
        return self.say(self.trunk(ids), "vectors")

    def trunk(self, ids: Tensor) -> Tensor:
        """What all outputs are made of: (batch, length) to (batch, length, width)."""
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def silence(self) -> None:
        """Have the layers add nothing to the embeddings, as training can begin."""
        blocks: Any = self.blocks
        for block in blocks:
            block.silence()

    def say(self, trunk: Tensor, output: Output) -> Tensor:
        """An output, (..., width) to (..., `size`): unit vectors, or foretold states.

        States are in units of their standard deviation in the text it was trained on.

        Raises
        ------
        InputError
            When states are wanted of an encoder that was not taught any.
        """
        if output == "vectors":
            return nn.functional.normalize(self.project(trunk).float(), dim=-1)
        if self.foretell is None:
            raise InputError(
                "this encoder foretells no states of its teacher; train one with a loss `states` "
                "(docs/training.md), or take its vectors"
            )
        return self.foretell(trunk).float()

    def size(self, output: Output) -> int:
        """Numbers of an output."""
        return self.config.dim if output == "vectors" else self.config.state_dim

    def grow(
        self, ids: Tensor, branches: Tensor, past: list[Tensor], output: Output = "vectors"
    ) -> tuple[Tensor, list[Tensor]]:
        """An output of new nodes of a token tree: a line that goes on, and its branches.

        Parameters
        ----------
        ids : int tensor of shape (n,)
            First the tokens of the line, then those of the branches.
        branches : int tensor of shape (n_branches, window)
            Rows of each branch node itself, its parent, its grandparent...; -1 where there is none.
            Rows are those of the past, then those of ``ids``.
        past : list of tensors
            Of the line so far, at least its last ``window - 1`` rows (fewer only at its beginning):
            see `start`.

        Returns
        -------
        said : tensor of shape (n, size of the output)
        memory : list of tensors
            What ``past`` is for later nodes, one row for each of the past and of ``ids``.
        """
        x, memory = self.embed(ids), []
        blocks: Any = self.blocks
        for block, rows in zip(blocks, past, strict=True):
            x, grown = block.grow(x, branches, rows)
            memory.append(grown)
        return self.say(self.norm(x), output), memory

    def start(self) -> list[Tensor]:
        """The past at the beginning of a text."""
        size = self.config.width // self.config.heads
        weight = self.embed.weight
        return [weight.new_empty(0, 2, self.config.heads, size) for _ in self.blocks]

    def stream(self, output: Output = "vectors") -> EncoderStream:
        """A reader that takes a text piece by piece."""
        return EncoderStream(self, output)

    def vectors(
        self, text: str, ends: Sequence[int] | NDArray, output: Output = "vectors"
    ) -> NDArray[np.float32]:
        """An output for each prefix ``text[:end]``, shape (n_ends, size of the output).

        ``ends`` must ascend. Prefixes without a token get zeros.

        Raises
        ------
        InputError
            When states are wanted of an encoder that was not taught any.
        """
        offsets = np.asarray(ends, np.int64)
        if np.any(np.diff(offsets, prepend=0) < 0) or np.any(offsets > len(text)):
            raise ValueError("ends must ascend from 0 to the length of the text")
        cuts = np.append(0, offsets)
        pieces = [text[a:b] for a, b in pairwise(cuts)]
        return self.stream(output).push(pieces)

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """exp(-(1 - cos) / T) between states, shape (n_queries, n_keys)."""
        cosine = queries @ keys.T
        cosine -= 1
        cosine /= np.float32(self.config.temperature)
        return np.exp(cosine, out=cosine)

    def round_to(self, storage: Storage) -> None:
        """Make the weights those that will be read again when they are stored so."""
        self.load_state_dict(unpack(pack(self.state_dict(), storage)))

    def save_pretrained(self, path: str | Path, storage: Storage = "float32") -> None:
        """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json`` into a directory."""
        from safetensors.torch import save_file

        with atomic_directory(path) as folder:
            write_json(folder / "config.json", {"model_type": MODEL_TYPE, **asdict(self.config)})
            weights = pack(self.state_dict(), storage)
            save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
            self.tokenizer.fast.save(str(folder / "tokenizer.json"), pretty=False)

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "Encoder":
        """Load what `save_pretrained` wrote; by default, the encoder shipped with this package.

        Raises
        ------
        InputError
            When the directory does not hold a complete encoder.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = SHIPPED if path is None else Path(path)
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            if not (folder / name).is_file():
                raise InputError(f"{folder / name}: missing; {folder} is not a saved encoder")
        try:
            values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise TypeError("config.json holds no object")
            if values.get("model_type") != MODEL_TYPE:
                raise InputError(f"{folder / 'config.json'}: not of type {MODEL_TYPE}")
            known = {f.name for f in fields(EncoderConfig)}
            config = EncoderConfig(**{k: v for k, v in values.items() if k in known})
            tokenizer = load_tokenizer(folder / "tokenizer.json")
            _check_shapes(cls, config, tokenizer, folder / "model.safetensors")
            encoder = cls(config, tokenizer)
            weights = unpack(load_file(folder / "model.safetensors"))
            for name, weight in weights.items():
                if not torch.isfinite(weight).all():
                    raise ValueError(f"model.safetensors: {name} is not finite")
            encoder.load_state_dict(weights)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from error
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{folder}: damaged encoder ({error})") from error
        return encoder.to(device, dtype).eval()


def _check_shapes(kind: type, config: EncoderConfig, tokenizer: Tokenizer, path: Path) -> None:
    """Raise if a file of weights is not of a shape, before memory is taken for either."""
    from safetensors import safe_open

    with torch.device("meta"):
        wanted = {name: tuple(w.shape) for name, w in kind(config, tokenizer).state_dict().items()}
    with safe_open(path, "pt") as file:
        found = {n: tuple(file.get_slice(n).get_shape()) for n in names_of(file.keys())}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise ValueError(
                f"{path.name}: {name} has the shape {found.get(name)}, but config.json asks for "
                f"{wanted.get(name)}"
            )
