"""Evaluating next-token predictors on documents.

Protocol of Kim, Mantena et al. 2025, section 4: only documents longer than the context (1,024
tokens); the token after the context is predicted, at every 512th position. ``stride=1`` scores all
positions from there on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gim.causal.model import score_causal
from gim.causal.shape import vocabulary_size
from gim.errors import InputError
from gim.evaluation.by_text import OtherModel, score_by_text
from gim.evaluation.company import PROPER, score_company
from gim.induction.choice import SequenceScores
from gim.induction.fuzzy import FuzzyInduction, Metric
from gim.induction.model import GIM
from gim.progress import progress_bar
from gim.scores import Scores
from gim.text.corpus import Document
from gim.text.tokenizer import Tokenizer
from gim.weighing.model import WeightedGIM

RUN = 256  # tokens of a sampled run
LEAD = 128  # tokens before its context: more than any state of it depends on


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
    n_bytes : int array
        Length of each token that came, in bytes of text: to compare tokenizers by.
    proper : tuple of str
        Models that never give a token no probability; their log-probabilities need no smoothing.
    """

    scores: dict[str, Scores]
    sources: NDArray[np.str_]
    document: NDArray[np.int64]
    vocab_size: int
    components: SequenceScores
    n_bytes: NDArray[np.int64]
    proper: tuple[str, ...] = ()


def targets_of(ids: NDArray[np.int64], context: int, stride: int) -> NDArray[np.int64]:
    """The token to predict after each position, -1 where none is: shape (len(ids),)."""
    targets = np.full(len(ids), -1)
    scored = np.arange(context - 1, len(ids) - 1, stride)
    targets[scored] = ids[scored + 1]
    return targets


def sample_runs(
    targets: NDArray[np.int64], context: int, positions: int, rng: np.random.Generator
) -> list[tuple[slice, NDArray[np.int64]]]:
    """Cut out pieces of a document in which ``positions`` targets are scored, or all there are.

    Returns
    -------
    pieces : list of (slice, targets of that piece)
        Each scores what lies in a run of `RUN` tokens, drawn without replacement, and begins before
        the context of its first one, so that the scores are those of the whole document. The last
        one scores only as many as are still wanted.
    """
    scored = np.flatnonzero(targets >= 0)
    runs = np.split(scored, np.flatnonzero(np.diff((scored - scored[0]) // RUN)) + 1)
    wanted = -(-positions // len(runs[0]))
    chosen = rng.permutation(len(runs))[:wanted]
    pieces, left = [], positions
    for run in sorted(chosen.tolist()):
        places = runs[run][:left]
        left -= len(places)
        if len(places) == 0:
            break
        begin, end = int(places[0]), int(places[-1]) + 1
        start = max(0, begin + 1 - context - LEAD)
        part = np.full(end - start, -1)
        part[begin - start :] = targets[begin:end]
        pieces.append((slice(start, end), part))
    return pieces


def evaluate(
    documents: Iterable[Document],
    model: GIM,
    *,
    stride: int = 512,
    causal: dict | None = None,
    by_text: dict[str, OtherModel] | None = None,
    metrics: dict[str, Metric] | None = None,
    other_taus: Sequence[int] = (),
    positions: int | None = None,
    seed: int = 0,
    weighted: WeightedGIM | None = None,
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
    by_text : dict of name to OtherModel, optional
        Baselines with tokenizers of their own (`gim.evaluation.by_text`).
    metrics : dict of name to Metric, optional
        Fuzzy induction and GIM once more with each: ``fuzzy-NAME`` and ``gim-NAME``.
    other_taus : ints
        More values of tau to report GIM for; they cost nothing, as components are scored once.
    positions : int, optional
        Score so many positions of a document only, in runs drawn at random; see
        `sample_runs`.
    seed : int
        Of that sample.
    weighted : WeightedGIM, optional
        A model that weighs the same evidence, scored beside n-grams and others: see
        `gim.evaluation.company`. It must have the window of ``model``.

    Raises
    ------
    InputError
        When no document is longer than the context, or a language model has another vocabulary.
    """
    if stride < 1 or (positions is not None and positions < 1):
        raise InputError(f"stride {stride}, positions {positions}: they must be at least 1")
    causal, by_text, metrics = causal or {}, by_text or {}, metrics or {}
    rng = np.random.default_rng(seed)
    _check_vocabularies(causal, model.tokenizer)
    parts: list[dict[str, Scores]] = []
    document_of: list[int] = []
    n_bytes: list[int] = []
    table = model.tokenizer.table
    for number, ids in enumerate(_long_documents(documents, model, progress)):
        targets = targets_of(ids, model.window, stride)
        pieces = [(slice(None), targets)]
        if positions is not None:
            pieces = sample_runs(targets, model.window, positions, rng)
        for where, goals in pieces:
            found = _score_piece(ids[where], goals, model, causal, metrics)
            for name, other in by_text.items():
                rows = score_by_text(other, model.tokenizer, ids[where], goals, model.window)
                found[name] = rows[goals >= 0]
            if weighted is not None:
                company = score_company(weighted, ids[where], goals)
                found |= {name: scores[goals >= 0] for name, scores in company.items()}
            parts.append(found)
            n_bytes += [len(table[token]) for token in goals[goals >= 0]]
            document_of += [number] * len(found["exact"])
    if not parts:
        raise InputError(f"no document is longer than the context of {model.window} tokens")
    joined = {name: Scores.concatenate([part[name] for part in parts]) for name in parts[0]}
    result = _combined(
        joined, model, tuple(metrics), other_taus, np.array(document_of), np.array(n_bytes)
    )
    return replace(result, proper=(*(PROPER if weighted is not None else ()), *causal, *by_text))


def _check_vocabularies(causal: dict, tokenizer: Tokenizer) -> None:
    for name, network in causal.items():
        if (n_known := vocabulary_size(network)) < tokenizer.vocab_size:
            raise InputError(
                f"model {name} has {n_known} ids, tokenizer "
                f"{tokenizer.name} {tokenizer.vocab_size}: pass the model's own tokenizer"
            )


def _long_documents(
    documents: Iterable[Document], model: GIM, progress: bool
) -> Iterator[NDArray[np.int64]]:
    """Ids of the documents that are longer than the context."""
    for document in progress_bar(documents, desc="scoring", unit="doc", disable=not progress):
        ids = model.tokenizer.encode(document.text)
        if len(ids) > model.window:
            yield ids


def _score_piece(
    ids: NDArray, targets: NDArray, model: GIM, causal: dict, metrics: dict[str, Metric]
) -> dict[str, Scores]:
    """Every component's scores of the scored positions."""
    out = {"unigram": unigram_scores(ids, targets, model)}
    found = model.components(ids, targets)
    named = {"infinigram": found.infinigram, "exact": found.exact, "fuzzy": found.fuzzy}
    out |= {name: scores for name, scores in named.items() if scores is not None}
    for name, metric in metrics.items():
        fuzzy = FuzzyInduction(metric, model.tokenizer, model.window)
        out[f"fuzzy-{name}"] = fuzzy.score(ids, targets)
    for name, network in causal.items():
        out[name] = score_causal(network, ids, targets, model.window)
    return {name: scores[targets >= 0] for name, scores in out.items()}


def _combined(
    scores: dict[str, Scores],
    model: GIM,
    metrics: Sequence[str],
    other_taus: Sequence[int],
    document: NDArray[np.int64],
    n_bytes: NDArray[np.int64],
) -> Result:
    """Put GIM's rows after those of its components."""
    exact, infinigram, fuzzy = (scores.get(name) for name in ("exact", "infinigram", "fuzzy"))
    assert exact is not None
    components = SequenceScores(exact, infinigram, fuzzy)
    combined, sources = components.combine(model.tau)
    rows = {"gim": combined}
    for tau in other_taus:
        rows[f"gim-tau{tau}"] = components.combine(tau)[0]
    for name in metrics:
        other = SequenceScores(exact, infinigram, scores[f"fuzzy-{name}"])
        rows[f"gim-{name}"] = other.combine(model.tau)[0]
    first = ["unigram", "infinigram", "exact", "fuzzy", *(f"fuzzy-{name}" for name in metrics)]
    order = {name: scores[name] for name in first if name in scores} | rows
    size = model.tokenizer.vocab_size
    return Result({**order, **scores}, sources, document, size, components, n_bytes)


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
