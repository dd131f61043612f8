"""Drafts of speculative decoding: what proposes tokens, and how logits become probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from gim.errors import InputError
from gim.induction.model import GIM, GIMStream

Sparse = tuple[NDArray[np.int64], NDArray[np.float64]]  # ids and probabilities


@dataclass(frozen=True)
class Sampling:
    """How the large model's logits become probabilities: temperature, then top-k, then top-p.

    A temperature of 0 is greedy decoding; ``top_k`` 0 and ``top_p`` 1 are off.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise InputError(f"{self}: temperature and top_k start at 0, top_p is in (0, 1]")

    def probabilities(self, logits: NDArray) -> NDArray[np.float64]:
        """Probabilities of each row of ``logits``, shape (n, vocabulary)."""
        rows = np.asarray(logits, np.float64)
        if self.temperature == 0:
            out = np.zeros_like(rows)
            out[np.arange(len(rows)), rows.argmax(1)] = 1
            return out
        rows = rows / self.temperature
        if 0 < self.top_k < rows.shape[1]:
            limit = np.partition(rows, -self.top_k, axis=1)[:, -self.top_k, None]
            rows = np.where(rows >= limit, rows, -np.inf)
        out = np.exp(rows - rows.max(1, keepdims=True))
        out /= out.sum(1, keepdims=True)
        if self.top_p < 1:  # the smallest set of best tokens that reaches top_p
            order = np.argsort(-out, axis=1, kind="stable")
            ordered = np.take_along_axis(out, order, 1)
            before = np.cumsum(ordered, axis=1) - ordered
            np.put_along_axis(out, order, np.where(before < self.top_p, ordered, 0), 1)
            out /= out.sum(1, keepdims=True)
        return out


class Draft(Protocol):
    """Proposes tokens; keeps up with what was accepted."""

    def extend(self, ids: Sequence[int]) -> None:
        """Tokens that are final."""

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """Up to ``n`` tokens to follow, each with the distribution that it was drawn from."""


class GIMDraft:
    """Draft of a GIM: its most probable token (a point mass), or draws from its distribution."""

    def __init__(self, model: GIM, sampled: bool = False) -> None:
        self._stream: GIMStream = model.stream()
        self._sampled = sampled

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        self._stream.extend(ids)

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """See `Draft.propose`."""
        stream, out = self._stream.copy(), []
        for i in range(n):
            answer = stream.predict(evidence=0)
            if self._sampled:
                token = int(rng.choice(answer.ids, p=answer.probabilities))
                out.append((token, (answer.ids, answer.probabilities)))
            else:
                token = answer.top
                out.append((token, (np.array([token]), np.ones(1))))
            if i + 1 < n:
                stream.push(token)
        return out


class ModelDraft:
    """Draft of a small causal language model, for comparison."""

    def __init__(self, model: Any, sampling: Sampling, sampled: bool = False) -> None:
        self._reader = Reader(model)
        self._sampling = sampling
        self._sampled = sampled
        self._ids: list[int] = []

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        self._ids += [int(i) for i in ids]

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """See `Draft.propose`."""
        ids, out = list(self._ids), []
        for _ in range(n):
            p = self._sampling.probabilities(self._reader.read(ids, 1))[0]
            support = np.flatnonzero(p)
            if self._sampled:
                token, q = int(rng.choice(len(p), p=p)), (support, p[support])
            else:
                token = int(p.argmax())
                q = np.array([token]), np.ones(1)
            out.append((token, q))
            ids.append(token)
        return out


class Reader:
    """A language model with its cache: logits of the last tokens of a growing sequence."""

    def __init__(self, model: Any) -> None:
        from transformers import DynamicCache

        self._model = model
        self._cache = DynamicCache(config=model.config)
        self._read: list[int] = []

    @torch.inference_mode()
    def read(self, ids: list[int], last: int) -> NDArray[np.float32]:
        """Logits after each of the ``last`` tokens, shape (last, vocabulary)."""
        same = min(len(ids) - last, len(self._read))
        while self._read[:same] != ids[:same]:
            same -= 1
        if same < len(self._read):
            self._cache.crop(same - len(self._read))  # negative: tokens to remove
        new = torch.tensor([ids[same:]], device=self._model.device)
        logits = self._model(new, past_key_values=self._cache, use_cache=True).logits[0, -last:]
        self._read = list(ids)
        return logits.float().cpu().numpy()
