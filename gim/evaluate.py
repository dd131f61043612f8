"""Evaluating next-token predictors on documents.

Protocol of Kim, Mantena et al. 2025, section 4: only documents longer than the context (1,024
tokens); the token after the context is predicted, at every 512th position. ``stride=1`` scores all
positions from there on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from gim.causal import score_causal
from gim.corpus import Document
from gim.errors import InputError
from gim.model import GIM, SequenceScores
from gim.scores import Scores
from gim.tokenizer import Tokenizer

SMOOTHING = 0.05  # log-probabilities are of (1 - s) p + s / vocabulary
BUCKETS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32)  # lower bounds of suffix length
DRAWS = 1000


@dataclass
class Result:
    """Scores of all models on all documents.

    Attributes
    ----------
    scores : dict of model name to Scores
        Only scored positions, documents one after another.
    sources : array of str
        Which component answered for GIM, by position.
    document : int array
        Document of each position.
    vocab_size : int
    components : SequenceScores
        To combine again for another tau.
    """

    scores: dict[str, Scores]
    sources: NDArray[np.str_]
    document: NDArray[np.int64]
    vocab_size: int
    components: SequenceScores


def targets_of(ids: NDArray[np.int64], context: int, stride: int) -> NDArray[np.int64]:
    """The token to predict after each position, -1 where none is: shape (len(ids),)."""
    targets = np.full(len(ids), -1)
    scored = np.arange(context - 1, len(ids) - 1, stride)
    targets[scored] = ids[scored + 1]
    return targets


def evaluate(
    documents: Iterable[Document],
    model: GIM,
    *,
    stride: int = 512,
    causal: dict | None = None,
    other_taus: Sequence[int] = (),
    progress: bool = False,
) -> Result:
    """Score the components of a GIM, GIM itself, unigrams and language models.

    Parameters
    ----------
    documents : iterable of Document
    model : GIM
        Its ``window`` is the context of the protocol.
    stride : int
        512 in the paper; 1 for every position.
    causal : dict of name to Hugging Face causal language model, optional
        Baselines; they must share the tokenizer.
    other_taus : ints
        More values of tau to report GIM for; they cost nothing, as components are scored once.

    Raises
    ------
    InputError
        When no document is longer than the context, or a language model has another vocabulary.
    """
    if stride < 1:
        raise InputError(f"stride is {stride}; it must be at least 1")
    causal = causal or {}
    for name, network in causal.items():
        if network.config.vocab_size < model.tokenizer.vocab_size:
            raise InputError(
                f"model {name} has {network.config.vocab_size} ids, tokenizer "
                f"{model.tokenizer.name} {model.tokenizer.vocab_size}: "
                "pass the model's own tokenizer"
            )
    parts: list[tuple[SequenceScores, dict[str, Scores]]] = []
    sizes = []
    for document in tqdm(documents, desc="scoring", unit="doc", disable=not progress):
        ids = model.tokenizer.encode(document.text)
        if len(ids) <= model.window:
            continue
        targets = targets_of(ids, model.window, stride)
        scored = targets >= 0
        found = model.components(ids, targets)
        others = {"unigram": unigram_scores(ids, targets, model)}
        for name, network in causal.items():
            others[name] = score_causal(network, ids, targets, model.window, stride)
        parts.append((_select(found, scored), {n: s[scored] for n, s in others.items()}))
        sizes.append(int(scored.sum()))
    if not parts:
        raise InputError(f"no document is longer than the context of {model.window} tokens")
    together = _join([found for found, _ in parts])
    combined, sources = together.combine(model.tau)
    scores = {"unigram": Scores.concatenate([others["unigram"] for _, others in parts])}
    named = {"infinigram": together.infinigram, "exact": together.exact, "fuzzy": together.fuzzy}
    scores |= {name: value for name, value in named.items() if value is not None}
    scores["gim"] = combined
    for tau in other_taus:
        scores[f"gim-tau{tau}"] = together.combine(tau)[0]
    for name in causal:
        scores[name] = Scores.concatenate([others[name] for _, others in parts])
    document_of = np.repeat(np.arange(len(sizes)), sizes)
    return Result(scores, sources, document_of, model.tokenizer.vocab_size, together)


def unigram_scores(ids: NDArray, targets: NDArray, model: GIM) -> Scores:
    """Unigrams of the reference corpus, or without one of the context window."""
    scored = np.flatnonzero(targets >= 0)
    out = Scores.empty(len(ids))
    if model.index is not None:
        tokens, counts = model.index.followers(model.index.longest([]))
        totals = np.zeros(model.tokenizer.vocab_size, np.int64)
        totals[tokens] = counts
        mine = totals[targets[scored]]
        ordered = np.sort(totals)
        above = len(ordered) - np.searchsorted(ordered, mine, side="right")
        same = len(ordered) - above - np.searchsorted(ordered, mine, side="left")
        part = Scores(
            np.zeros(len(scored), np.int64),
            np.full(len(scored), tokens[0]),
            mine / counts.sum(),
            above,
            np.where(mine > 0, same, 0),
        )
    else:
        part = _context_unigrams(ids, targets, scored, model.window)
    out[scored] = part
    return out


def _context_unigrams(ids: NDArray, targets: NDArray, scored: NDArray, window: int) -> Scores:
    distinct, local = np.unique(ids, return_inverse=True)
    out, counts, begin, end = Scores.empty(len(scored)), np.zeros(len(distinct), np.int64), 0, 0
    for row, t in enumerate(scored):
        np.add.at(counts, local[end : t + 1], 1)
        np.subtract.at(counts, local[begin : max(0, t + 1 - window)], 1)
        begin, end = max(0, t + 1 - window), t + 1
        mine = counts[np.searchsorted(distinct, targets[t])]  # the target is one of the document
        out.top[row], out.p_next[row] = distinct[counts.argmax()], mine / (end - begin)
        out.greater[row] = (counts > mine).sum()
        out.equal[row] = (counts == mine).sum() if mine > 0 else 0
    return out


def _select(found: SequenceScores, scored: NDArray[np.bool_]) -> SequenceScores:
    parts = (found.exact, found.infinigram, found.fuzzy)
    exact, infinigram, fuzzy = (None if p is None else p[scored] for p in parts)
    assert exact is not None
    return SequenceScores(exact, infinigram, fuzzy)


def _join(parts: list[SequenceScores]) -> SequenceScores:
    def column(get: Callable) -> Scores | None:
        return None if get(parts[0]) is None else Scores.concatenate([get(p) for p in parts])

    exact = column(lambda p: p.exact)
    assert exact is not None
    return SequenceScores(exact, column(lambda p: p.infinigram), column(lambda p: p.fuzzy))


def measures(scores: Scores, vocab_size: int) -> dict[str, NDArray[np.float64]]:
    """Measures of every position, each of shape (n,).

    Strict: the target is the unique mode. Expected: 1/k if it is one of k modes. Optimistic: it is
    any of the modes. Recall@5: the chance that it is among five drawn from the top, ties broken at
    random; a target without a vote is never recalled.
    """
    hit = (scores.greater == 0) & (scores.equal > 0)
    equal = np.maximum(scores.equal, 1)
    recall = np.clip((5 - scores.greater) / equal, 0, 1) * (scores.equal > 0)
    smoothed = (1 - SMOOTHING) * scores.p_next + SMOOTHING / vocab_size
    return {
        "acc_strict": (hit & (scores.equal == 1)).astype(float),
        "acc_expected": hit / equal,
        "acc_optimistic": hit.astype(float),
        "recall5": recall,
        "logprob": np.log(smoothed),
    }


def summarise(result: Result, seed: int = 0) -> pd.DataFrame:
    """One row per model: number of positions, measures, 95 % interval of ``acc_strict``.

    The interval resamples documents: positions of one text are not independent.
    """
    rows = []
    for name, scores in result.scores.items():
        values = measures(scores, result.vocab_size)
        low, high = document_interval(values["acc_strict"], result.document, seed)
        means = {key: float(value.mean()) for key, value in values.items()}
        documents = int(result.document.max()) + 1
        rows.append(
            {"model": name, "documents": documents, "positions": len(scores), **means}
            | {"acc_strict_lo": low, "acc_strict_hi": high}
        )
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


def encode_all(documents: Iterable[Document], tokenizer: Tokenizer) -> list[NDArray[np.int64]]:
    """Token ids of every document."""
    return [tokenizer.encode(document.text) for document in documents]
