"""How logits become probabilities."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gim.errors import InputError


@dataclass(frozen=True)
class Sampling:
    """How the large model's logits become probabilities: temperature, then top-k, then top-p.

    A temperature of 0 is greedy decoding; ``top_k`` 0 and ``top_p`` 1 are off.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf or self.top_k < 0 or not 0 < self.top_p <= 1:
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
