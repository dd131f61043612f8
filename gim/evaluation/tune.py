"""Choosing tau on held-out documents of the training corpus."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from gim.evaluation.measures import document_interval, measures
from gim.induction.choice import SequenceScores

TAUS = tuple(range(1, 17))


def sweep(
    components: SequenceScores,
    document: np.ndarray,
    vocab_size: int,
    taus: Sequence[int] = TAUS,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy of GIM for every tau; the components are scored only once.

    Returns
    -------
    table : DataFrame
        Columns ``tau acc_strict acc_strict_lo acc_strict_hi logprob fuzzy_share``.
    """
    rows = []
    for tau in taus:
        scores, source = components.combine(tau)
        values = measures(scores, vocab_size)
        low, high = document_interval(values["acc_strict"], document, seed)
        rows.append(
            {
                "tau": tau,
                "acc_strict": float(values["acc_strict"].mean()),
                "acc_strict_lo": low,
                "acc_strict_hi": high,
                "logprob": float(values["logprob"].mean()),
                "fuzzy_share": float((source == "fuzzy").mean()),
            }
        )
    return pd.DataFrame(rows)


def best_tau(table: pd.DataFrame) -> int:
    """The tau of highest strict accuracy; the smallest among equals."""
    return int(table["tau"].iloc[int(table["acc_strict"].argmax())])


def every_nth(documents: Iterable, n: int) -> Iterable:
    """Every n-th document: a held-out part that covers the whole corpus."""
    return (document for i, document in enumerate(documents) if i % n == 0)
