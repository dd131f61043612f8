"""How many drafted tokens to send: as many as promise the most tokens a second.

Leviathan, Kalman & Matias 2023 (arXiv 2211.17192, section 3.3) choose one length for a whole text;
here it is chosen before each call, from what each drafted token's chance is (Oliaro et al. 2025,
arXiv 2411.04975, score drafts likewise) and from what calls of each length take.
"""

import time
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np

from gim.causal.shape import max_context, vocabulary_size
from gim.decoding.reader import Reader
from gim.errors import InputError

CONTEXT = 64  # tokens before the calls that are timed
ROUNDS = 3  # of which the fastest counts, as the machine may have other work
SHARE = 0.03  # of the time of plain decoding that drafts may lose,
GRANT = 0.5  # beside so many calls at the beginning
LEAST = 0.02  # chance below which no token is drafted, however cheap calls are


@dataclass(frozen=True)
class Costs:
    """What a call of the large model takes, by its number of tokens.

    Attributes
    ----------
    calls : tuple of float
        Of 1, 2, ... tokens, in any unit, not falling; longer calls go on as the last step.
    in_seconds : bool
        Whether the unit is a second, so that a clock can tell what drafts lose.
    """

    calls: tuple[float, ...]
    in_seconds: bool = False

    def __post_init__(self) -> None:
        times = np.array(self.calls)
        if len(times) < 2 or not (np.isfinite(times).all() and times[0] > 0):
            raise InputError(f"costs {self.calls}: two or more positive numbers are needed")
        if (np.diff(times) < 0).any():
            raise InputError(f"costs {self.calls}: a call of more tokens takes no less time")

    @classmethod
    def linear(cls, a_token: float) -> "Costs":
        """Every token after a call's first takes ``a_token`` of the call."""
        return cls((1.0, 1.0 + a_token))

    @classmethod
    def measure(
        cls, model: Any, most: int = 16, clock: Callable[[], float] = time.perf_counter
    ) -> "Costs":
        """Seconds of a model's calls of 1 to ``most + 1`` tokens: the work of some 40 calls."""
        sizes = sorted({1, min(3, most + 1), *range(5, most + 1, 4), most + 1, 2})
        context = max_context(model, CONTEXT + most + 1) - most - 1
        if context < 1:
            raise InputError(f"the model has no room for drafts of {most} tokens; shorten them")
        rng = np.random.default_rng(0)
        ids = rng.integers(0, vocabulary_size(model), context + most + 1).tolist()
        reader, best = Reader(model), dict.fromkeys(sizes, np.inf)
        for _ in range(ROUNDS):
            for size in sizes:
                reader.read(ids[:context], 1)
                started = clock()
                reader.read(ids[: context + size], size)
                best[size] = min(best[size], clock() - started)
        times = np.interp(np.arange(1, most + 2), sizes, [best[size] for size in sizes])
        # Whatever disturbs makes a call slower: a shorter one takes no longer than a longer one.
        return cls(tuple(np.minimum.accumulate(times[::-1])[::-1].tolist()), in_seconds=True)

    def of(self, n: int) -> float:
        """Costs of a call of ``n`` tokens."""
        calls = self.calls
        if n <= len(calls):
            return calls[n - 1]
        return calls[-1] + (n - len(calls)) * (calls[-1] - calls[-2])

    @cached_property
    def least(self) -> float:
        """Chance of being reached and right below which a further token cannot pay.

        What a draft gains must be more a second than a call of one token gives; chances only fall
        along a draft, and the cheapest further token takes the smallest step between two lengths.
        """
        return max(LEAST, float(np.diff(self.calls).min()) / self.calls[0])

    def best(self, chances: Sequence[float]) -> int:
        """How many drafted tokens to send, of which each is right with some chance if all before.

        The number k that maximises (1 + expected tokens accepted) / cost of a call of k + 1.
        """
        best, rate, expected, path = 0, 1 / self.calls[0], 1.0, 1.0
        for k, chance in enumerate(chances, 1):
            path *= chance
            expected += path
            if expected / self.of(k + 1) > rate:
                best, rate = k, expected / self.of(k + 1)
        return best


class Budget:
    """Keeps what drafts have lost, all in all, to a small share of plain decoding's time.

    Chances may be wrong, and texts turn: a draft is only sent if decoding would still be nearly as
    fast as without drafts, were all of it wrong. Costs in seconds are what calls took once; what
    they take now, and drafts besides, is told by the clock.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._lost, self._tokens = 0.0, 0
        self._plain: list[float] = []  # seconds of the calls of one token, ascending

    def most(self, n: int) -> int:
        """How many of ``n`` tokens may be sent."""
        left = GRANT + SHARE * self._tokens - self._lost
        while n > 0 and self._costs.of(n + 1) / self._costs.of(1) - 1 > left:
            n -= 1
        return n

    def book(self, sent: int, tokens: int, call: float = 0.0, drafting: float = 0.0) -> None:
        """A call with so many drafted tokens gave so many tokens.

        It took so many seconds, and drafting some, which count where costs are in seconds.
        """
        took = self._costs.of(sent + 1) / self._costs.of(1)
        if self._costs.in_seconds:
            if not sent:
                insort(self._plain, call)
            took = (call / self._call if sent else 1.0) + drafting / self._call
        self._lost += took - tokens
        self._tokens += tokens

    def take_in(self, seconds: float) -> None:
        """What taking in the prompt took the draft is lost before the first token."""
        if self._costs.in_seconds:
            self._lost += seconds / self._call

    @property
    def _call(self) -> float:
        """Seconds of a call of one token, as it is now."""
        return median(self._plain) if self._plain else self._costs.of(1)


# What a small model on a CPU takes: the step from one token, a product of a matrix and a vector, to
# two is large, and the next ones are small. `Costs.measure` finds out.
ASSUMED = Costs((1.0, *(1.5 + 0.06 * n for n in range(16))))
