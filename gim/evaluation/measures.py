"""What the scores of an evaluation mean: accuracies, intervals, tables."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gim.evaluation.evaluate import Result
from gim.scores import Scores

SMOOTHING = 0.05  # log-probabilities are of (1 - s) p + s / vocabulary
BUCKETS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32)  # lower bounds of suffix length
DRAWS = 1000


def measures(
    scores: Scores, vocab_size: int, smoothing: float = SMOOTHING
) -> dict[str, NDArray[np.float64]]:
    """Measures of every position, each of shape (n,).

    Strict: the target is the unique mode. Expected: 1/k if it is one of k modes. Optimistic: it is
    any of the modes. Recall@5: the chance that it is among five drawn from the top, ties broken at
    random; a target without a vote is never recalled.
    """
    hit = (scores.greater == 0) & (scores.equal > 0)
    equal = np.maximum(scores.equal, 1)
    recall = np.clip((5 - scores.greater) / equal, 0, 1) * (scores.equal > 0)
    smoothed = (1 - smoothing) * scores.p_next + smoothing / vocab_size
    return {
        "acc_strict": (hit & (scores.equal == 1)).astype(float),
        "acc_expected": hit / equal,
        "acc_optimistic": hit.astype(float),
        "recall5": recall,
        "logprob": np.log(smoothed),
    }


def measures_of(result: Result, name: str) -> dict[str, NDArray[np.float64]]:
    """`measures` of a model; without smoothing if it never gives a token no probability."""
    smoothing = 0.0 if name in result.proper else SMOOTHING
    return measures(result.scores[name], result.vocab_size, smoothing)


def summarise(result: Result, seed: int = 0) -> pd.DataFrame:
    """One row per model: positions, measures, and what it has over exact induction.

    ``_lo`` and ``_hi`` bound the 95 % interval of strict accuracy and of the difference in it.
    Documents are resampled: positions of one text are not independent. The differences are paired.
    ``bits_per_byte`` is of the text that the tokens spell, comparable across tokenizers.
    """
    rows = []
    exact = measures_of(result, "exact")["acc_strict"]
    documents = int(result.document.max()) + 1
    for name, scores in result.scores.items():
        values = measures_of(result, name)
        means = {key: float(value.mean()) for key, value in values.items()}
        row = {"model": name, "documents": documents, "positions": len(scores), **means}
        row["perplexity"] = float(np.exp(-means["logprob"]))
        row["bits_per_byte"] = -float(values["logprob"].sum() / result.n_bytes.sum() / np.log(2))
        over = values["acc_strict"] - exact
        row["over_exact"] = float(over.mean())
        for key, value in (("acc_strict", values["acc_strict"]), ("over_exact", over)):
            row[f"{key}_lo"], row[f"{key}_hi"] = document_interval(value, result.document, seed)
        rows.append(row)
    return pd.DataFrame(rows)


def paired(result: Result, model: str, seed: int = 0) -> pd.DataFrame:
    """What one model has over each other on the same positions, with 95 % intervals.

    Returns
    -------
    table : DataFrame
        Columns ``over acc_strict logprob``, the latter two with ``_lo`` and ``_hi``: differences in
        strict accuracy and in nats a token; documents are resampled.
    """
    mine, rows = measures_of(result, model), []
    for name in result.scores:
        if name == model:
            continue
        row: dict[str, float | str] = {"over": name}
        theirs = measures_of(result, name)
        for key in ("acc_strict", "logprob"):
            gain = mine[key] - theirs[key]
            low, high = document_interval(gain, result.document, seed)
            row |= {key: float(gain.mean()), f"{key}_lo": low, f"{key}_hi": high}
        rows.append(row)
    return pd.DataFrame(rows)


def document_interval(
    values: NDArray[np.float64], document: NDArray[np.int64], seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over positions, drawing whole documents."""
    sums, sizes = np.bincount(document, values), np.bincount(document)
    draws = np.random.default_rng(seed).integers(0, len(sums), (DRAWS, len(sums)))
    means = sums[draws].sum(1) / sizes[draws].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def by_component(result: Result) -> pd.DataFrame:
    """GIM's measures by the component that answered."""
    return _grouped(result.scores["gim"], result.sources, result.vocab_size, "source")


def by_suffix_length(result: Result) -> pd.DataFrame:
    """Measures by length of the longest exact match, for every model with one of its own."""
    tables = []
    for name in ("exact", "infinigram"):
        if name in result.scores:
            lengths = result.scores[name].suffix_len
            bucket = np.array(BUCKETS)[np.searchsorted(BUCKETS, lengths, side="right") - 1]
            for model in dict.fromkeys((name, "fuzzy", "gim")):
                if model in result.scores:
                    table = _grouped(result.scores[model], bucket, result.vocab_size, "suffix_from")
                    tables.append(table.assign(matched=name, model=model))
    return pd.concat(tables, ignore_index=True)


def _grouped(scores: Scores, groups: NDArray, vocab_size: int, name: str) -> pd.DataFrame:
    table = pd.DataFrame({name: groups, **measures(scores, vocab_size)})
    means = table.groupby(name, sort=True).mean().reset_index()
    means.insert(1, "positions", table.groupby(name, sort=True).size().to_numpy())
    return means
