"""Plain similarities that an encoder must beat: of the last tokens, of their word vectors."""

from types import SimpleNamespace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gim.causal.teacher import TeacherMetric
from gim.encoder.encoder import Encoder
from gim.encoder.stream import Output
from gim.errors import InputError
from gim.induction.fuzzy import EncoderMetric, Metric
from gim.text.align import Segmenter
from gim.text.tokenizer import Tokenizer

NAMES = ("random", "last-token", "bag", "static")
TOKENS = 8  # of the bag and of the mean of static vectors
TEMPERATURE = 0.1


def baseline(
    name: str, encoder: Encoder, teacher: TeacherMetric | None = None, seed: int = 0
) -> Metric:
    """A metric by name.

    Parameters
    ----------
    name : {"random", "last-token", "bag", "static"}
        An untrained encoder of the same shape; identity of the last token; cosine of the counts of
        the last 8 tokens; cosine of the mean of their static vectors.
    encoder : Encoder
        The one to compare with.
    teacher : TeacherMetric, optional
        The static vectors are its input embeddings; without one, the encoder's.
    seed : int
        Of the random encoder.

    Raises
    ------
    InputError
        For another name.
    """
    if name == "last-token":
        return TokenBag(1)
    if name == "bag":
        return TokenBag(TOKENS)
    if name == "random":
        shape = {k: v for k, v in vars(encoder.config).items() if k != "vocab_size"}
        return EncoderMetric(Encoder.create(encoder.tokenizer, seed, **shape).eval())
    if name == "static":
        if teacher is None:
            return EncoderMetric(StaticEncoder(encoder.embed.weight, encoder.tokenizer))
        weight = teacher.model.get_input_embeddings().weight
        return EncoderMetric(StaticEncoder(weight, teacher.tokenizer))
    raise InputError(f"metric {name!r} is none of {', '.join(NAMES)}")


class TokenBag:
    """exp(-(1 - cos) / T) of the counts of the last ``length`` tokens; 1: the last token."""

    def __init__(self, length: int, temperature: float = TEMPERATURE) -> None:
        self.length, self.temperature = length, temperature

    def stream(self, tokenizer: Tokenizer) -> "_LastTokens":
        """See `gim.induction.fuzzy.Metric.stream`."""
        return _LastTokens(self.length)

    def similarity(self, queries: NDArray, keys: NDArray) -> NDArray[np.float32]:
        """Of states, which are token ids, -1 where the context begins."""
        ids, local = np.unique(np.concatenate([queries, keys]), return_inverse=True)
        local = local.reshape(-1, self.length)
        counts = np.zeros((len(local), len(ids)), np.float32)
        np.add.at(counts, (np.arange(len(local))[:, None], local), 1)
        counts[:, ids < 0] = 0
        counts /= np.linalg.norm(counts, axis=1, keepdims=True)
        cosine = counts[: len(queries)] @ counts[len(queries) :].T
        return np.exp((cosine - 1) / np.float32(self.temperature))


class _LastTokens:
    def __init__(self, length: int) -> None:
        self._last = np.full(length - 1, -1)

    def push(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        size = len(self._last) + 1
        line = np.concatenate([self._last, ids])
        self._last = line[len(line) - size + 1 :]
        return np.lib.stride_tricks.sliding_window_view(line, size)


class StaticEncoder(nn.Module):
    """Mean of the static vectors of the last tokens, in the place of an `Encoder`.

    Parameters
    ----------
    weight : float tensor of shape (vocabulary, dim)
        Their mean is taken off: word vectors share a large component that says nothing.
    tokenizer : Tokenizer
    length : int
        Number of tokens averaged.
    """

    def __init__(
        self,
        weight: Tensor,
        tokenizer: Tokenizer,
        length: int = TOKENS,
        temperature: float = TEMPERATURE,
    ) -> None:
        super().__init__()
        self.segmenter = Segmenter(tokenizer)
        vectors = weight.detach().float()
        self.embed = nn.Embedding.from_pretrained(vectors - vectors.mean(0))
        self.config = SimpleNamespace(dim=weight.shape[1], window=length, temperature=temperature)

    def size(self, output: Output) -> int:
        """See `gim.encoder.encoder.Encoder.size`; it has vectors alone."""
        return self.config.dim

    def grow(
        self, ids: Tensor, branches: Tensor, past: list[Tensor], output: Output = "vectors"
    ) -> tuple[Tensor, list[Tensor]]:
        """See `gim.encoder.encoder.Encoder.grow`; the past are token ids."""
        memory = torch.cat([past[0], ids])
        line = torch.arange(len(past[0]), len(memory) - len(branches))[:, None]
        rows = torch.cat([line - torch.arange(self.config.window), branches])
        vectors = self.embed(memory[rows.clamp(min=0)]) * (rows >= 0)[..., None]
        return nn.functional.normalize(vectors.sum(1), dim=-1), [memory]

    def start(self) -> list[Tensor]:
        """See `gim.encoder.encoder.Encoder.start`."""
        return [torch.empty(0, dtype=torch.long)]

    stream = Encoder.stream
    similarity = Encoder.similarity
