"""Which component answers: Eq. 5 of Kim, Mantena et al. 2025 (arXiv 2411.00066).

With suffix lengths s (effective n minus 1): Infini-Gram answers if its s is longer than that of
exact induction and reaches tau; else exact induction, if its s reaches tau; else fuzzy induction.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim.scores import Scores


@dataclass
class SequenceScores:
    """Scores of every component over one sequence, and of their combination for any tau."""

    exact: Scores
    infinigram: Scores | None
    fuzzy: Scores | None

    def combine(self, tau: int) -> tuple[Scores, NDArray[np.str_]]:
        """Scores of GIM at that tau, and the name of the component that answered each."""
        s_ctx = self.exact.suffix_len
        s_inf = self.infinigram.suffix_len if self.infinigram else np.full(len(s_ctx), -1)
        parts = {"exact": self.exact, "infinigram": self.infinigram, "fuzzy": self.fuzzy}
        source = choose(s_inf, s_ctx, tau, self.infinigram is not None, self.fuzzy is not None)
        out = self.exact[:]
        for name, scores in parts.items():
            if scores is not None:
                out = Scores.where(source == name, scores, out)
        return out, np.where((source != "fuzzy") & (out.suffix_len == 0), "unigram", source)


def choose(s_inf: Any, s_ctx: Any, tau: int, corpus: bool, fuzzy: bool) -> Any:
    """Which component answers, by Eq. 5 (arrays or numbers).

    Without an encoder, the longer match takes fuzzy induction's place, the corpus at length 0.
    """
    longer = np.asarray(s_inf) > np.asarray(s_ctx)
    if not fuzzy:
        tau = 0
        longer = longer | ((np.asarray(s_ctx) == 0) & corpus)
    by_corpus = longer & (np.asarray(s_inf) >= tau) & corpus
    by_context = ~longer & (np.asarray(s_ctx) >= tau)
    return np.where(by_corpus, "infinigram", np.where(by_context, "exact", "fuzzy"))


def reason(source: str, s_inf: int, s_ctx: int, tau: int, fuzzy: bool) -> str:
    """Eq. 5 in words."""
    context, corpus = f"{s_ctx} tokens in the context", f"{s_inf} in the corpus"
    found = context if s_inf < 0 else f"{context}, {corpus}"
    if not fuzzy:
        return f"longest match: {found}; no encoder, so the longer one answers"
    if source == "fuzzy":
        return f"longest match: {found}; below tau = {tau}, so similar places vote"
    return f"longest match: {found}; the longer one reaches tau = {tau}"
