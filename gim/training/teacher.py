"""A frozen causal language model as the teacher: distances between next-token distributions.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gim.causal.divergence import DIVERGENCES, Distance
from gim.errors import InputError
from gim.text.tokenizer import Tokenizer


class Teacher:
    """Final states of a Hugging Face causal language model, and distances between them.

    States (hidden size numbers) are kept instead of distributions (vocabulary), which are made
    anew for a chunk of positions at a time.

    Parameters
    ----------
    model : a Hugging Face causal language model
    tokenizer, student : Tokenizer
        The model's own and the student's. If they differ, the text before each position is
        tokenised anew: ids are never mixed.
    window : int
        Longest context in the teacher's tokens, where it reads text anew.

    Raises
    ------
    InputError
        For a model whose logits are not its output embedding of its last states.
    """

    def __init__(
        self, model: Any, tokenizer: Tokenizer, student: Tokenizer, window: int = 128
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer, self.student, self.window = tokenizer, student, window
        self.same = tokenizer.fingerprint == student.fingerprint
        self._check_head()

    @torch.no_grad()
    def _check_head(self) -> None:
        ids = torch.zeros(1, 2, dtype=torch.long, device=self.model.device)
        wanted = self.model(ids).logits.float().log_softmax(-1)
        found = self.log_probs(self.model.base_model(ids).last_hidden_state)
        if not torch.allclose(wanted, found, atol=1e-2):
            raise InputError(
                f"the teacher {type(self.model).__name__} changes its logits after the output "
                "embedding, which distillation does not support; choose another model"
            )

    @torch.no_grad()
    def states(self, ids: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Last states after ``ids[row, : column + 1]``, shape (n, hidden).

        Parameters
        ----------
        ids : int tensor of shape (batch, length)
            The student's tokens.
        rows, columns : int tensors of shape (n,)
        """
        if self.same:
            hidden = self.model.base_model(ids.to(self.model.device)).last_hidden_state
            return hidden[rows.to(hidden.device), columns.to(hidden.device)]
        windows: list[list[int]] = []
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            text = self.student.decode(ids[row, : column + 1].tolist())
            windows.append(self.tokenizer.encode(text)[-self.window :].tolist())
        return self._window_states(windows)

    def _window_states(self, windows: Sequence[list[int]]) -> Tensor:
        """Windows of one length share a forward pass, so that no padding is needed."""
        lengths = np.array([len(window) for window in windows])
        out: Tensor | None = None
        for length in np.unique(lengths):
            which = np.flatnonzero(lengths == length)
            ids = torch.tensor([windows[i] for i in which.tolist()], device=self.model.device)
            last = self.model.base_model(ids).last_hidden_state[:, -1]
            if out is None:
                out = last.new_empty(len(windows), last.shape[-1])
            out[torch.from_numpy(which).to(out.device)] = last
        if out is None:
            raise ValueError("no windows")
        return out

    @torch.no_grad()
    def log_probs(self, states: Tensor) -> Tensor:
        """Log-probabilities of the next token, shape (..., vocabulary), float32."""
        head = self.model.get_output_embeddings()
        return head(states.to(head.weight.dtype)).float().log_softmax(-1)

    @torch.no_grad()
    def distances(
        self, queries: Tensor, candidates: Tensor, kind: Distance, chunk: int = 256
    ) -> Tensor:
        """Distances between states, shape (n_queries, n_candidates).

        Parameters
        ----------
        queries, candidates : tensors of shape (n, hidden)
        kind : {"symmetric_kl", "jsd"}
            (KL(p|q) + KL(q|p)) / 2, or the Jensen-Shannon divergence (natural log).
        chunk : int
            Distributions held at once, of queries and of candidates each.
        """
        out = candidates.new_empty(len(queries), len(candidates), dtype=torch.float32)
        for top in range(0, len(queries), chunk):
            a = self.log_probs(queries[top : top + chunk])
            for left in range(0, len(candidates), chunk):
                b = self.log_probs(candidates[left : left + chunk])
                out[top : top + chunk, left : left + chunk] = DIVERGENCES[kind](a, b)
        return out
