"""The draft of SuffixDecoding (Oliaro et al. 2025, arXiv 2411.04975), plainly, to compare with.

For every pattern, that is a suffix of the context, the tree below it is walked greedily: the child
that came most often, as long as its share of all that came is large enough, up to a multiple of the
pattern's length. The walk whose shares sum to most is the draft. The shares are those of the
authors' code: products along the path. Of their two trees this is that of the request itself; the
other one holds earlier answers of the server.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gim.decoding.costs import Costs
from gim.decoding.drafts import Proposal

LONGEST = 64  # tokens of a pattern
FACTOR = 1.0  # most drafted tokens, in lengths of the pattern
LEAST = 0.1  # share of a path at which a walk ends


class SuffixDecoding:
    """A `gim.decoding.drafts.Draft` that finds patterns by comparing, token by token."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._runs = np.zeros(0, np.int64)  # of each place, length of its match with the end

    def extend(self, ids: Sequence[int]) -> None:
        """See `gim.decoding.drafts.Draft.extend`."""
        for token in ids:
            same = np.array(self._ids, np.int64) == token
            before = np.append(0, self._runs)[: len(same)]
            self._runs = np.append(np.where(same, np.minimum(before + 1, LONGEST), 0), 0)
            self._ids.append(int(token))

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """See `gim.decoding.drafts.Draft.propose`; ``costs`` are unknown to the method."""
        best, score = Proposal([], []), 0.0
        for length in np.unique(self._runs[self._runs > 0]).tolist():
            places = (np.flatnonzero(self._runs >= length) + 1).tolist()
            found = self._walk(places, min(n, int(FACTOR * length)))
            if sum(np.cumprod(found.chances)) >= score:
                best, score = found, sum(np.cumprod(found.chances))
        return best

    def _walk(self, places: list[int], most: int) -> Proposal:
        out, path = Proposal([], []), 1.0
        while len(out.tokens) < most:
            inside = [p for p in places if p < len(self._ids)]
            if not inside:
                break
            token, votes = Counter(self._ids[p] for p in inside).most_common(1)[0]
            path *= votes / len(places)
            if path < LEAST:
                break
            out.tokens.append(token)
            out.chances.append(votes / len(places))
            places = [p + 1 for p in inside if self._ids[p] == token]
        return out
