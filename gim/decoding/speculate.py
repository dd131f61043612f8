"""Speculative decoding: a cheap draft proposes, a large model checks several tokens in one call.

Leviathan, Kalman & Matias 2023 (arXiv 2211.17192). With p the large model's distribution and q the
draft's, a drafted x is kept with probability min(1, p(x) / q(x)), else a token is drawn from the
positive part of p - q: what comes out is distributed as p, whatever the draft. An argmax draft has
q = 1 on its token; greedy decoding is p = 1 on the large model's best token.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gim.causal.shape import max_context
from gim.decoding.costs import ASSUMED, Budget, Costs
from gim.decoding.drafts import Draft, ModelDraft, Proposal, StreamDraft, draft_of
from gim.decoding.reader import Reader
from gim.decoding.sampling import Sampling
from gim.errors import InputError
from gim.text.tokenizer import as_tokens

DRAFT_LENGTH = 16
REPEATED = 8  # last tokens of the prompt that are told again


@dataclass(frozen=True)
class Generation:
    """What was generated and what it took.

    Attributes
    ----------
    ids : int array
        New tokens only.
    calls : int
        Forward passes of the large model.
    drafted, accepted : int
        Drafted tokens and how many of them were kept.
    seconds : float
        From the prompt's last token on: reading what is before it takes the same for every draft.
    drafting : float
        Seconds of them that the draft took.
    """

    ids: NDArray[np.int64]
    calls: int
    drafted: int
    accepted: int
    seconds: float
    drafting: float

    @property
    def accepted_per_call(self) -> float:
        """Drafted tokens kept, a call; each call adds one token of the large model's own."""
        return self.accepted / max(self.calls, 1)

    @property
    def ms_per_token(self) -> float:
        """Milliseconds a token, drafting included."""
        return 1000 * self.seconds / max(len(self.ids), 1)


def accept(proposal: Proposal, p: NDArray[np.float64], rng: np.random.Generator) -> list[int]:
    """Decide which drafted tokens stay, and add one token of the large model's own.

    Parameters
    ----------
    proposal : Proposal of n tokens
    p : float array of shape (n + 1, vocabulary)
        The large model's distributions at the same places and at the one after.

    Returns
    -------
    tokens : list of 1 to n + 1 ids, distributed as ``p``
    """
    out: list[int] = []
    for i, (token, row) in enumerate(zip(proposal.tokens, p, strict=False)):
        ids, q = proposal.drawn[i] if proposal.drawn else (np.array([token]), np.ones(1))
        chance = float(q[ids == token].sum())
        if rng.random() * chance < row[token]:
            out.append(token)
            continue
        rest = row.copy()
        rest[ids] = np.maximum(rest[ids] - q, 0)
        total = rest.sum()
        # Rounding alone can leave nothing where p and q are equal: then p itself is right.
        rest = rest / total if total > 0 else row
        return [*out, int(rng.choice(len(rest), p=rest))]
    return [*out, int(rng.choice(p.shape[1], p=p[len(out)]))]


def accept_best(tokens: list[int], logits: NDArray) -> list[int]:
    """`accept` of greedy decoding: the drafted tokens that are the model's best, and its next."""
    best = logits.argmax(1).tolist()
    kept = 0
    while kept < len(tokens) and tokens[kept] == best[kept]:
        kept += 1
    return best[: kept + 1]


def speculate(
    model: Any,
    draft: Draft | None,
    ids: ArrayLike,
    n_tokens: int,
    *,
    draft_length: int = DRAFT_LENGTH,
    costs: Costs | None = ASSUMED,
    sampling: Sampling | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    reader: Reader | None = None,
) -> Generation:
    """Generate ``n_tokens`` with a causal language model, checked drafts and no loss.

    Parameters
    ----------
    model : a Hugging Face causal language model
    draft : Draft, optional
        None decodes plainly, one token a call.
    ids : int array
        The prompt, at least one token.
    draft_length : int
        Most tokens proposed before each call.
    costs : Costs, optional
        How many of them are sent: as many as promise the most tokens for what a call costs, and
        none where drafts have lost too much. None sends ``draft_length`` tokens each time.
    seed : int
        Equal seeds and costs give equal samples, but for costs in seconds: then a clock has a say
        in what is drafted, and so in which of the equally likely samples is drawn.
    clock : callable
        Seconds: `time.process_time` where the machine has other work.
    reader : Reader, optional
        Of this model, which may have read the prompt already.

    Raises
    ------
    InputError
        For an empty prompt, or one that leaves no room in the model's positions.
    """
    sequence = as_tokens(ids).tolist()
    limit = max_context(model, len(sequence) + n_tokens)
    if not sequence:
        raise InputError("the prompt is empty; give at least one token")
    if len(sequence) + n_tokens > limit:
        raise InputError(
            f"{len(sequence)} tokens of prompt and {n_tokens} new ones exceed the model's {limit}"
        )
    sampling, rng = sampling or Sampling(), np.random.default_rng(seed)
    reader, drafting, begin = reader or Reader(model), _Timer(clock), len(sequence)
    budget = None if costs is None else Budget(costs)
    calls = drafted = accepted = 0
    if begin > 1:
        reader.read(sequence[:-1], 1)
    started = clock()
    waiting: list[int] = []  # tokens that the draft takes in when it is asked, many at once
    if draft is not None:
        with drafting:
            draft.extend(sequence)
        if budget is not None:
            budget.take_in(drafting.seconds)
    while (left := begin + n_tokens - len(sequence)) > 0:
        proposal, before = Proposal([], []), drafting.seconds
        room = min(draft_length, left - 1)
        if budget is not None:
            room = budget.most(room)
        if draft is not None and room > 0:
            with drafting:
                draft.extend(waiting)
                proposal = draft.propose(room, costs, rng)
            waiting = []
        tokens, calling = proposal.tokens, clock()
        logits = reader.read(sequence + tokens, len(tokens) + 1)
        calling = clock() - calling
        if sampling.temperature == 0:
            new = accept_best(tokens, logits)
        else:
            new = accept(proposal, sampling.probabilities(logits), rng)
        sequence += new
        waiting += new
        if budget is not None:
            budget.book(len(tokens), len(new), calling, drafting.seconds - before)
        calls, drafted, accepted = calls + 1, drafted + len(tokens), accepted + len(new) - 1
    seconds = clock() - started
    return Generation(
        np.array(sequence[begin:]), calls, drafted, accepted, seconds, drafting.seconds
    )


class _Timer:
    """Sums up the time spent inside it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.seconds, self._clock = 0.0, clock

    def __enter__(self) -> None:
        self._started = self._clock()

    def __exit__(self, *_: object) -> None:
        self.seconds += self._clock() - self._started


def compare(
    model: Any,
    predictor: Any,
    ids: ArrayLike,
    n_tokens: int,
    *,
    draft_length: int = DRAFT_LENGTH,
    costs: Costs | None = ASSUMED,
    sampling: Sampling | None = None,
    sampled_draft: bool = False,
    small: Any = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Plain decoding, the drafts of a GIM and, if given, of a small model, in one run.

    Parameters
    ----------
    predictor : GIM or WeightedGIM
    small : a Hugging Face causal language model, optional

    Returns
    -------
    table : DataFrame
        Columns ``draft calls drafted accepted_per_call ms_per_token speed_up ids``; plain
        decoding first.
    """
    sampling = sampling or Sampling()
    drafts: dict[str, Draft | None] = {"none": None, "gim": draft_of(predictor, sampled_draft)}
    if small is not None:
        drafts["small model"] = ModelDraft(small, sampling, sampled_draft)
    reader = Reader(model)  # reads the prompt once; the first calls are slower
    speculate(model, None, ids, min(2, n_tokens), sampling=sampling, reader=reader)
    for unused in (draft_of(predictor, sampled_draft), StreamDraft(predictor, sampled_draft)):
        compile_draft(unused, as_tokens(ids).tolist(), costs)
    rows: list[dict[str, Any]] = []
    for name, draft in drafts.items():
        done = speculate(
            model, draft, ids, n_tokens, draft_length=draft_length, costs=costs,
            sampling=sampling, seed=seed, reader=reader,
        )  # fmt: skip
        rows.append(
            {
                "draft": name,
                "calls": done.calls,
                "drafted": done.drafted,
                "accepted_per_call": done.accepted_per_call,
                "ms_per_token": done.ms_per_token,
                "speed_up": (rows[0]["ms_per_token"] if rows else done.ms_per_token)
                / done.ms_per_token,
                "ids": done.ids,
            }
        )
    return pd.DataFrame(rows)


def compile_draft(draft: Draft, ids: list[int], costs: Costs | None) -> None:
    """Have a draft that is thrown away read a prompt and propose: what it needs is then compiled.

    What a process compiles or loads once would be told as what drafting costs.
    """
    rng = np.random.default_rng(0)
    for part in (ids, ids[-REPEATED:], ids[-REPEATED:]):  # the last tokens have matches
        draft.extend(part)
        draft.propose(DRAFT_LENGTH, costs, rng)
