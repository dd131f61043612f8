"""What every component reports about a whole sequence at once (teacher forcing)."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass
class Scores:
    """How a model did at each of ``n`` scored positions.

    Everything that the evaluation needs is here, and no distribution has to be kept: with
    ``greater`` tokens ranked above the target and ``equal`` ranked with it (itself included),
    strict, expected and optimistic accuracy and recall@k follow.

    Attributes
    ----------
    suffix_len : int array of shape (n,)
        Length of the longest matched suffix (effective n minus 1); 0 where only the back-off to
        unigrams, or a soft match, answered.
    top : int array of shape (n,)
        The most probable token; the smallest id among ties.
    p_next : float array of shape (n,)
        Unsmoothed probability of the token that came.
    greater, equal : int arrays of shape (n,)
        Number of tokens more probable than, and as probable as, the token that came. Where
        ``p_next`` is 0, ``equal`` is 0.
    """

    suffix_len: NDArray[np.int64]
    top: NDArray[np.int64]
    p_next: NDArray[np.float64]
    greater: NDArray[np.int64]
    equal: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.top)

    def __getitem__(self, index) -> "Scores":
        return Scores(*(getattr(self, f.name)[index] for f in fields(self)))

    def __setitem__(self, index, value: "Scores") -> None:
        for f in fields(self):
            getattr(self, f.name)[index] = getattr(value, f.name)

    @staticmethod
    def empty(n: int) -> "Scores":
        """Scores of ``n`` positions that were not scored."""
        zeros = (np.zeros(n, np.int64) for _ in range(3))
        return Scores(next(zeros), np.full(n, -1), np.zeros(n), next(zeros), next(zeros))

    @staticmethod
    def from_ranks(suffix_len: NDArray[np.int64], ranks: NDArray[np.int64]) -> "Scores":
        """Scores of the rows (mode, target's count, total, more, same) of `gim._kernels.rank`."""
        mode, mine, total, more, same = ranks.T
        p_next = mine / np.maximum(total, 1)
        return Scores(suffix_len, mode, p_next, more, np.where(mine > 0, same, 0))

    @staticmethod
    def where(condition: NDArray[np.bool_], yes: "Scores", no: "Scores") -> "Scores":
        """Take ``yes`` where the condition holds, else ``no``."""
        pairs = ((getattr(yes, f.name), getattr(no, f.name)) for f in fields(Scores))
        return Scores(*(np.where(condition, a, b) for a, b in pairs))

    @staticmethod
    def concatenate(parts: "list[Scores]") -> "Scores":
        """Join the scores of successive pieces."""
        return Scores(
            *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Scores))
        )


def rank(
    ids: NDArray, weights: NDArray, target: int, tie: float = 0.0
) -> tuple[int, float, int, int]:
    """(top, p_next, greater, equal) of one sparse distribution, by the rules of `Scores`.

    ``tie`` is the relative difference up to which two weights are equal.
    """
    weights = np.asarray(weights, np.float64)
    top = int(np.min(np.asarray(ids)[weights >= weights.max() * (1 - tie)]))
    mine = float(weights[np.asarray(ids) == target].sum())
    greater = weights > mine * (1 + tie)
    equal = int((~greater & (weights >= mine * (1 - tie))).sum()) if mine > 0 else 0
    return top, mine / float(weights.sum()), int(greater.sum()), equal
