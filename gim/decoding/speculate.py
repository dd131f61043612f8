"""Speculative decoding: a cheap draft proposes, a large model checks several tokens in one call.

Leviathan, Kalman & Matias 2023 (arXiv 2211.17192). With p the large model's distribution and q the
draft's, a drafted x is kept with probability min(1, p(x) / q(x)), else a token is drawn from the
positive part of p - q: what comes out is distributed as p, whatever the draft. An argmax draft has
q = 1 on its token; greedy decoding is p = 1 on the large model's best token.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gim.causal.shape import max_context
from gim.decoding.drafts import Draft, GIMDraft, ModelDraft, Reader, Sampling, Sparse
from gim.errors import InputError
from gim.induction.model import GIM
from gim.text.tokenizer import as_tokens


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
    """

    ids: NDArray[np.int64]
    calls: int
    drafted: int
    accepted: int
    seconds: float

    @property
    def accepted_per_call(self) -> float:
        """Drafted tokens kept, a call; each call adds one token of the large model's own."""
        return self.accepted / max(self.calls, 1)

    @property
    def ms_per_token(self) -> float:
        """Wall-clock milliseconds a token, drafting included."""
        return 1000 * self.seconds / max(len(self.ids), 1)


def accept(
    drafted: list[tuple[int, Sparse]], p: NDArray[np.float64], rng: np.random.Generator
) -> list[int]:
    """Decide which drafted tokens stay, and add one token of the large model's own.

    Parameters
    ----------
    drafted : list of (token, q)
    p : float array of shape (len(drafted) + 1, vocabulary)
        The large model's distributions at the same places and at the one after.

    Returns
    -------
    tokens : list of 1 to len(drafted) + 1 ids, distributed as ``p``
    """
    out = []
    for (token, (ids, q)), row in zip(drafted, p, strict=False):
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
    return [*out, int(rng.choice(p.shape[1], p=p[len(drafted)]))]


def speculate(
    model: Any,
    draft: Draft | None,
    ids: ArrayLike,
    n_tokens: int,
    *,
    draft_length: int = 8,
    sampling: Sampling | None = None,
    seed: int = 0,
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
        Tokens proposed before each call.

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
    reader, begin = Reader(model), len(sequence)
    calls = drafted = accepted = 0
    started = time.perf_counter()
    if draft is not None:
        draft.extend(sequence)
    while (left := begin + n_tokens - len(sequence)) > 0:
        room = min(draft_length, left - 1) if draft is not None else 0
        proposal = draft.propose(room, rng) if draft is not None and room > 0 else []
        tokens = [token for token, _ in proposal]
        logits = reader.read(sequence + tokens, len(tokens) + 1)
        new = accept(proposal, sampling.probabilities(logits), rng)
        sequence += new
        if draft is not None:
            draft.extend(new)
        calls, drafted, accepted = calls + 1, drafted + len(tokens), accepted + len(new) - 1
    seconds = time.perf_counter() - started
    return Generation(np.array(sequence[begin:]), calls, drafted, accepted, seconds)


def compare(
    model: Any,
    gim: GIM,
    ids: ArrayLike,
    n_tokens: int,
    *,
    draft_length: int = 8,
    sampling: Sampling | None = None,
    sampled_draft: bool = False,
    small: Any = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Plain decoding, GIM's drafts and, if given, a small model's, in one run.

    Returns
    -------
    table : DataFrame
        Columns ``draft calls accepted_per_call ms_per_token speed_up ids``; plain decoding first.
    """
    sampling = sampling or Sampling()
    drafts: dict[str, Draft | None] = {"none": None, "gim": GIMDraft(gim, sampled_draft)}
    if small is not None:
        drafts["small model"] = ModelDraft(small, sampling, sampled_draft)
    speculate(model, None, ids, min(2, n_tokens), sampling=sampling)  # first calls are slower
    rows: list[dict[str, Any]] = []
    for name, draft in drafts.items():
        done = speculate(
            model, draft, ids, n_tokens, draft_length=draft_length, sampling=sampling, seed=seed
        )
        rows.append(
            {
                "draft": name,
                "calls": done.calls,
                "accepted_per_call": done.accepted_per_call,
                "ms_per_token": done.ms_per_token,
                "speed_up": (rows[0]["ms_per_token"] if rows else done.ms_per_token)
                / done.ms_per_token,
                "ids": done.ids,
            }
        )
    return pd.DataFrame(rows)
