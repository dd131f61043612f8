"""Speculative decoding: a cheap draft proposes, a large model checks several tokens in one call.

Leviathan, Kalman & Matias 2023 (arXiv 2211.17192). With p the large model's distribution and q the
draft's, a drafted x is kept with probability min(1, p(x) / q(x)), else a token is drawn from the
positive part of p - q: what comes out is distributed as p, whatever the draft. An argmax draft has
q = 1 on its token; greedy decoding is p = 1 on the large model's best token.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from transformers.generation.candidate_generator import CandidateGenerator

from gim.errors import InputError
from gim.exact import as_tokens
from gim.model import GIM, GIMStream

Sparse = tuple[NDArray[np.int64], NDArray[np.float64]]  # ids and probabilities


@dataclass(frozen=True)
class Sampling:
    """How the large model's logits become probabilities: temperature, then top-k, then top-p.

    A temperature of 0 is greedy decoding; ``top_k`` 0 and ``top_p`` 1 are off.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise InputError(f"{self}: temperature and top_k start at 0, top_p is in (0, 1]")

    def probabilities(self, logits: NDArray) -> NDArray[np.float64]:
        """Probabilities of each row of ``logits``, shape (n, vocabulary)."""
        rows = np.asarray(logits, np.float64)
        if self.temperature == 0:
            out = np.zeros_like(rows)
            out[np.arange(len(rows)), rows.argmax(1)] = 1
            return out
        rows = rows / self.temperature
        if 0 < self.top_k < rows.shape[1]:
            limit = np.partition(rows, -self.top_k, axis=1)[:, -self.top_k, None]
            rows = np.where(rows >= limit, rows, -np.inf)
        out = np.exp(rows - rows.max(1, keepdims=True))
        out /= out.sum(1, keepdims=True)
        if self.top_p < 1:  # the smallest set of best tokens that reaches top_p
            order = np.argsort(-out, axis=1, kind="stable")
            ordered = np.take_along_axis(out, order, 1)
            before = np.cumsum(ordered, axis=1) - ordered
            np.put_along_axis(out, order, np.where(before < self.top_p, ordered, 0), 1)
            out /= out.sum(1, keepdims=True)
        return out


class Draft(Protocol):
    """Proposes tokens; keeps up with what was accepted."""

    def extend(self, ids: Sequence[int]) -> None:
        """Tokens that are final."""

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """Up to ``n`` tokens to follow, each with the distribution that it was drawn from."""


class GIMDraft:
    """Draft of a GIM: its most probable token (a point mass), or draws from its distribution."""

    def __init__(self, model: GIM, sampled: bool = False) -> None:
        self._stream: GIMStream = model.stream()
        self._sampled = sampled

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        self._stream.extend(ids)

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """See `Draft.propose`."""
        stream, out = self._stream.copy(), []
        for i in range(n):
            answer = stream.predict(evidence=0)
            if self._sampled:
                token = int(rng.choice(answer.ids, p=answer.probabilities))
                out.append((token, (answer.ids, answer.probabilities)))
            else:
                token = answer.top
                out.append((token, (np.array([token]), np.ones(1))))
            if i + 1 < n:
                stream.push(token)
        return out


class ModelDraft:
    """Draft of a small causal language model, for comparison."""

    def __init__(self, model: Any, sampling: Sampling, sampled: bool = False) -> None:
        self._reader = _Reader(model)
        self._sampling = sampling
        self._sampled = sampled
        self._ids: list[int] = []

    def extend(self, ids: Sequence[int]) -> None:
        """See `Draft.extend`."""
        self._ids += [int(i) for i in ids]

    def propose(self, n: int, rng: np.random.Generator) -> list[tuple[int, Sparse]]:
        """See `Draft.propose`."""
        ids, out = list(self._ids), []
        for _ in range(n):
            p = self._sampling.probabilities(self._reader.read(ids, 1))[0]
            support = np.flatnonzero(p)
            if self._sampled:
                token, q = int(rng.choice(len(p), p=p)), (support, p[support])
            else:
                token = int(p.argmax())
                q = np.array([token]), np.ones(1)
            out.append((token, q))
            ids.append(token)
        return out


class _Reader:
    """A language model with its cache: logits of the last tokens of a growing sequence."""

    def __init__(self, model: Any) -> None:
        from transformers import DynamicCache

        self._model = model
        self._cache = DynamicCache(config=model.config)
        self._read: list[int] = []

    @torch.inference_mode()
    def read(self, ids: list[int], last: int) -> NDArray[np.float32]:
        """Logits after each of the ``last`` tokens, shape (last, vocabulary)."""
        same = min(len(ids) - last, len(self._read))
        while self._read[:same] != ids[:same]:
            same -= 1
        if same < len(self._read):
            self._cache.crop(same - len(self._read))  # negative: tokens to remove
        new = torch.tensor([ids[same:]], device=self._model.device)
        logits = self._model(new, past_key_values=self._cache, use_cache=True).logits[0, -last:]
        self._read = list(ids)
        return logits.float().cpu().numpy()


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
    limit = getattr(model.config, "max_position_embeddings", None)
    if not sequence:
        raise InputError("the prompt is empty; give at least one token")
    if limit is not None and len(sequence) + n_tokens > limit:
        raise InputError(
            f"{len(sequence)} tokens of prompt and {n_tokens} new ones exceed the model's {limit}"
        )
    sampling, rng = sampling or Sampling(), np.random.default_rng(seed)
    reader, begin = _Reader(model), len(sequence)
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


class GIMCandidates(CandidateGenerator):
    """GIM as candidate generator of `transformers`' assisted generation.

    ``with GIMCandidates(gim).attached(model): model.generate(..., prompt_lookup_num_tokens=k)``
    runs the library's own lossless loop with GIM's argmax drafts in place of prompt look-up.
    """

    def __init__(self, model: GIM, draft_length: int = 8) -> None:
        self._model = model
        self._draft: GIMDraft | None = None
        self._seen: list[int] = []
        self.draft_length = draft_length
        self.max_length: int | None = None

    def get_candidates(self, input_ids: torch.Tensor, **_: Any) -> Any:
        """Append drafted tokens to the one sequence in ``input_ids``, shape (1, n)."""
        if len(input_ids) != 1:
            raise InputError(f"assisted generation takes one sequence, not {len(input_ids)}")
        ids = input_ids[0].tolist()
        if self._draft is None or ids[: len(self._seen)] != self._seen:
            self._draft, self._seen = GIMDraft(self._model), []
        self._draft.extend(ids[len(self._seen) :])
        self._seen = ids
        room = self.draft_length
        if self.max_length is not None:
            room = min(room, self.max_length - len(ids) - 1)
        proposal = self._draft.propose(max(room, 0), np.random.default_rng(0))
        new = torch.tensor([[token for token, _ in proposal]], dtype=input_ids.dtype)
        return torch.cat([input_ids, new.to(input_ids.device)], dim=1), None

    def update_candidate_strategy(self, *_: Any, **__: Any) -> None:
        """Nothing adapts: the number of drafted tokens is fixed."""

    def attached(self, model: Any) -> "_Attached":
        """Context manager: ``model.generate`` asks this generator for candidates."""
        return _Attached(self, model)


class _Attached:
    def __init__(self, candidates: GIMCandidates, model: Any) -> None:
        self._candidates, self._model = candidates, model

    def __enter__(self) -> Any:
        def get(generation_config: Any, **_: Any) -> GIMCandidates:
            self._candidates.max_length = generation_config.max_length
            return self._candidates

        self._model._get_candidate_generator = get
        return self._model

    def __exit__(self, *_: object) -> None:
        del self._model._get_candidate_generator
