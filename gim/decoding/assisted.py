"""GIM as a draft inside `transformers`' own assisted generation."""

from typing import Any

import numpy as np
import torch
from transformers.generation.candidate_generator import CandidateGenerator

from gim.decoding.costs import ASSUMED, Costs
from gim.decoding.drafts import Draft, draft_of
from gim.decoding.speculate import DRAFT_LENGTH
from gim.errors import InputError


class GIMCandidates(CandidateGenerator):
    """GIM as candidate generator of `transformers`' assisted generation.

    ``with GIMCandidates(gim).attached(model): model.generate(..., prompt_lookup_num_tokens=k)``
    runs the library's own lossless loop with GIM's argmax drafts in place of prompt look-up.

    Parameters
    ----------
    model : GIM or WeightedGIM
    draft_length : int
        Most tokens drafted before each call.
    costs : Costs
        How many of them are sent.
    """

    def __init__(
        self, model: Any, draft_length: int = DRAFT_LENGTH, costs: Costs = ASSUMED
    ) -> None:
        self._model = model
        self._draft: Draft | None = None
        self._seen: list[int] = []
        self._costs = costs
        self.draft_length = draft_length
        self.max_length: int | None = None

    def get_candidates(self, input_ids: torch.Tensor, **_: Any) -> Any:
        """Append drafted tokens to the one sequence in ``input_ids``, shape (1, n)."""
        if len(input_ids) != 1:
            raise InputError(f"assisted generation takes one sequence, not {len(input_ids)}")
        ids = input_ids[0].tolist()
        if self._draft is None or ids[: len(self._seen)] != self._seen:
            self._draft, self._seen = draft_of(self._model), []
        self._draft.extend(ids[len(self._seen) :])
        self._seen = ids
        room = self.draft_length
        if self.max_length is not None:
            room = min(room, self.max_length - len(ids) - 1)
        found = self._draft.propose(max(room, 0), self._costs, np.random.default_rng(0))
        new = torch.tensor([found.tokens], dtype=input_ids.dtype)
        return torch.cat([input_ids, new.to(input_ids.device)], dim=1), None

    def update_candidate_strategy(self, *_: Any, **__: Any) -> None:
        """The draft learns from the tokens that `get_candidates` is given next."""

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
