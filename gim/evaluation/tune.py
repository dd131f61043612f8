"""Choosing tau and fitting weights on held-out documents of the training corpus."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gim.evaluation.evaluate import sample_runs, targets_of
from gim.evaluation.measures import document_interval, measures
from gim.induction.choice import SequenceScores
from gim.induction.model import GIM
from gim.text.corpus import Document
from gim.weighing.fit import Observations, fit_weights, observe
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import Weights, setting

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
        Columns ``tau``, ``acc_strict`` and ``logprob`` with 95 % intervals (``_lo``, ``_hi``), the
        interval of the paired difference in accuracy to the most accurate tau (``to_best_lo``,
        ``to_best_hi``), and ``fuzzy_share``.
    """
    found = {tau: components.combine(tau) for tau in taus}
    values = {tau: measures(scores, vocab_size) for tau, (scores, _) in found.items()}
    best = max(values.values(), key=lambda value: value["acc_strict"].mean())["acc_strict"]
    rows = []
    for tau in taus:
        row: dict[str, float] = {"tau": tau}
        for key in ("acc_strict", "logprob"):
            row[key] = float(values[tau][key].mean())
            row[f"{key}_lo"], row[f"{key}_hi"] = document_interval(values[tau][key], document, seed)
        difference = values[tau]["acc_strict"] - best
        row["to_best_lo"], row["to_best_hi"] = document_interval(difference, document, seed)
        row["fuzzy_share"] = float((found[tau][1] == "fuzzy").mean())
        rows.append(row)
    return pd.DataFrame(rows)


def best_tau(table: pd.DataFrame) -> int:
    """The tau of highest log-probability among those as accurate as the best.

    As accurate: the 95 % interval of the paired difference includes zero. Accuracy alone would
    choose within its own noise, at a price of nats.
    """
    accurate = table[table["to_best_hi"] >= 0]
    return int(accurate["tau"].iloc[int(accurate["logprob"].argmax())])


def describe_tau(table: pd.DataFrame) -> dict[str, Any] | None:
    """`best_tau` with what a file of weights says of it; None where all taus do the same.

    They do without an encoder, whose answers are what tau chooses.

    Returns
    -------
    tau : dict
        ``value``; ``as_accurate``, the lowest and the highest tau whose accuracy the 95 % interval
        of the paired difference does not tell from the best; ``logprob`` with ``logprob_lo`` and
        ``logprob_hi``, nats a token.
    """
    if np.ptp(table["logprob"].to_numpy()) == 0:
        return None
    value = best_tau(table)
    row: Any = table.set_index("tau").loc[value]
    accurate = table["tau"][table["to_best_hi"] >= 0]
    nats = {key: round(float(row[key]), 4) for key in ("logprob", "logprob_lo", "logprob_hi")}
    return {"value": value, "as_accurate": [int(accurate.min()), int(accurate.max())], **nats}


def every_nth(documents: Iterable, n: int) -> Iterable:
    """Every n-th document: a held-out part that covers the whole corpus."""
    return (document for i, document in enumerate(documents) if i % n == 0)


@dataclass
class Fitted:
    """Weights by `gim.weighing.weights.setting`, and what they were fitted on.

    Attributes
    ----------
    weights : dict of str to Weights
    logprob : dict of str to float
        Mean log-probability at the positions fitted on, nats a token.
    positions : int
    """

    weights: dict[str, Weights]
    logprob: dict[str, float]
    positions: int


def see(documents: Iterable[Document], model: GIM, positions: int, seed: int = 0) -> Observations:
    """Look at held-out documents as a mixture of what a GIM has would.

    Parameters
    ----------
    documents : iterable of Document
        Held out from the index of ``model``.
    positions : int
        How many in all, in runs drawn at random from all documents, short ones and beginnings
        included: weights must also hold where the context is short.
    """
    texts = [model.tokenizer.encode(document.text) for document in documents]
    kind = setting(model.index is not None, model.metric is not None)
    weighted = WeightedGIM(
        model.tokenizer, model.index, model.metric, {kind: Weights.zeros()}, model.window
    )
    return observe(weighted, _pieces(texts, model.window, positions, seed), seed=seed)


def fit_settings(seen: Observations, corpus: bool, encoder: bool, seed: int = 0) -> Fitted:
    """Fit the weights of a mixture with and without the parts that there are."""
    weights, logprob = {}, {}
    for with_corpus in sorted({corpus, False}, reverse=True):
        for with_encoder in sorted({encoder, False}, reverse=True):
            name = setting(with_corpus, with_encoder)
            part = seen.without(with_corpus, with_encoder)
            weights[name], logprob[name] = fit_weights(part, seed=seed)
    return Fitted(weights, logprob, len(seen))


def _pieces(
    texts: list[np.ndarray], window: int, positions: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """About so many positions of texts, as `sample_runs` draws them; a run a text at least."""
    rng, n = np.random.default_rng(seed), sum(len(ids) for ids in texts)
    for ids in texts:
        if len(ids) < 2:
            continue
        targets = targets_of(ids, 1, 1)
        share = max(1, round(positions * len(ids) / n))
        for where, goals in sample_runs(targets, window, share, rng):
            yield ids[where], goals
