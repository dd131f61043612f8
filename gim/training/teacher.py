"""A frozen causal language model as the teacher: distances between next-token distributions.

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gim.causal.divergence import DIVERGENCES, Distance
from gim.causal.shape import layer_states, layer_widths, max_context
from gim.errors import InputError
from gim.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Line:
    """A sequence of the student's tokens as the teacher reads it.

    Attributes
    ----------
    ids : int array
        The teacher's tokens of the same text.
    columns : int array of shape (n_shared,)
        The student's tokens after which both tokenizers have a boundary, ascending.
    places : int array of shape (n_shared,)
        The teacher's tokens that end there.
    """

    ids: NDArray[np.int64]
    columns: NDArray[np.int64]
    places: NDArray[np.int64]


def shared_line(ids: NDArray[np.int64], student: Tokenizer, teacher: Tokenizer) -> Line:
    """A text in two tokenizers, and where the ends of words are ends of tokens in both.

    The teacher's tokens up to such a place are those of the text before it: a tokenizer that
    begins words with their space splits no word by what comes after it. So one reading of a text
    serves all its places, as if each were read anew.
    """
    text, ends = student.text_and_ends(ids)
    own = teacher.encode(text)
    read, own_ends = teacher.text_and_ends(own)
    lead = len(read) - len(text)  # SentencePiece begins a text with a space of its own
    if not read.endswith(text) or lead not in (0, 1):
        return Line(own, np.empty(0, np.int64), np.empty(0, np.int64))
    shared = np.intersect1d(ends, own_ends - lead)
    after = [text[end : end + 1] in ("", " ") and not text[end - 1].isspace() for end in shared]
    shared = shared[np.array(after, bool) & (shared > 0)]
    columns, places = np.searchsorted(ends, shared), np.searchsorted(own_ends - lead, shared)
    return Line(own, columns, places)


@dataclass(frozen=True)
class States:
    """A teacher's states at some places.

    Attributes
    ----------
    last : tensor of shape (n, hidden)
        What its output embedding makes distributions of.
    inner : tensor of shape (n or more, hidden), optional
        Those of an inner layer, perhaps at further places.
    """

    last: Tensor
    inner: Tensor | None = None


@dataclass(frozen=True)
class Head:
    """What makes next-token distributions of a teacher's last states.

    Attributes
    ----------
    weight : float tensor of shape (vocabulary, hidden)
    bias : float tensor of shape (vocabulary,), optional
    """

    weight: Tensor
    bias: Tensor | None = None

    @torch.no_grad()
    def log_probs(self, states: Tensor) -> Tensor:
        """Log-probabilities of the next token, shape (..., vocabulary), float32."""
        return self._logits(states).float().log_softmax(-1)

    @torch.no_grad()
    def expected(self, states: Tensor) -> Tensor:
        """Output embedding that is expected of the next token, shape of ``states``, float32."""
        return (self._logits(states).softmax(-1) @ self.weight).float()

    def _logits(self, states: Tensor) -> Tensor:
        return nn.functional.linear(states.to(self.weight.dtype), self.weight, self.bias)


class Teacher:
    """A Hugging Face causal language model that is asked while the student learns.

    Parameters
    ----------
    model : a Hugging Face causal language model
    tokenizer, student : Tokenizer
        The model's own and the student's. If they differ, the model reads the text in its own
        tokens, and is asked where words end in both: ids are never mixed.
    layer : int, optional
        An inner layer whose states are wanted, too; 0 is the embedding.

    Raises
    ------
    InputError
        For a model whose logits are not its output embedding of its last states, or without the
        layer.
    """

    def __init__(
        self, model: Any, tokenizer: Tokenizer, student: Tokenizer, layer: int | None = None
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer, self.student, self.layer = tokenizer, student, layer
        if layer is not None and layer >= (n_layers := len(layer_widths(model))):
            raise InputError(
                f"teacher_layer {layer}: the teacher has the layers 0 (the embedding) to "
                f"{n_layers - 1}"
            )
        self.same = tokenizer.fingerprint == student.fingerprint
        output = model.get_output_embeddings()
        self.head = Head(output.weight.detach(), getattr(output, "bias", None))
        self._check_head()

    @torch.no_grad()
    def _check_head(self) -> None:
        ids = torch.zeros(1, 2, dtype=torch.long, device=self.model.device)
        wanted = self.model(ids).logits.float().log_softmax(-1)
        found = self.head.log_probs(self.model.base_model(ids).last_hidden_state)
        if not torch.allclose(wanted, found, atol=1e-2):
            raise InputError(
                f"the teacher {type(self.model).__name__} changes its logits after the output "
                "embedding, which distillation does not support; choose another model"
            )

    def line(self, ids: NDArray[np.int64]) -> Line:
        """How it reads a sequence of the student's tokens."""
        if self.same:
            line = Line(ids, np.arange(len(ids)), np.arange(len(ids)))
        else:
            line = shared_line(ids, self.student, self.tokenizer)
        seen = max_context(self.model, max(1, len(line.ids)))
        kept = line.places < seen
        return Line(line.ids[:seen], line.columns[kept], line.places[kept])

    @torch.no_grad()
    def states(
        self, lines: Sequence[Line], rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> "States":
        """What it thinks at some places, each line read once.

        Parameters
        ----------
        lines : sequence of Line
        rows, columns : int arrays of shape (n,)
            Lines, and tokens of the student at which they have places.
        """
        longest = max(len(line.ids) for line in lines)
        ids = np.zeros((len(lines), longest), np.int64)  # padded on the right, which none sees
        for row, line in enumerate(lines):
            ids[row, : len(line.ids)] = line.ids
        layers = layer_states(self.model, torch.from_numpy(ids))
        places = np.empty(len(rows), np.int64)
        for row in np.unique(rows):
            mine = rows == row
            line = lines[row]
            places[mine] = line.places[np.searchsorted(line.columns, columns[mine])]
        where = torch.from_numpy(rows), torch.from_numpy(places)
        inner = None if self.layer is None else layers[self.layer][where]
        return States(layers[-1][where], inner)


@torch.no_grad()
def distances(
    head: Head, queries: Tensor, candidates: Tensor, kind: Distance, chunk: int = 256
) -> Tensor:
    """Distances between states, shape (n_queries, n_candidates).

    Parameters
    ----------
    head : Head
    queries, candidates : tensors of shape (n, hidden)
    kind : {"symmetric_kl", "jsd"}
        (KL(p|q) + KL(q|p)) / 2, or the Jensen-Shannon divergence (natural log).
    chunk : int
        Distributions held at once, of queries and of candidates each.
    """
    if kind == "symmetric_kl":
        return _symmetric_kl(head, queries, candidates, chunk)
    out = candidates.new_empty(len(queries), len(candidates), dtype=torch.float32)
    for top in range(0, len(queries), chunk):
        a = head.log_probs(queries[top : top + chunk])
        for left in range(0, len(candidates), chunk):
            b = head.log_probs(candidates[left : left + chunk])
            out[top : top + chunk, left : left + chunk] = DIVERGENCES[kind](a, b)
    return out


def _symmetric_kl(head: Head, queries: Tensor, candidates: Tensor, chunk: int) -> Tensor:
    """The mean of both KL divergences, without comparing distribution with distribution.

    Logits are W s, so that log p - log q is W (s_p - s_q) and a constant, and the sum over the
    vocabulary of (p - q)(log p - log q) is (m_p - m_q) . (s_p - s_q), where m = W' p.
    """
    a, b = queries.float(), candidates.float()
    mean_a, mean_b = (
        torch.cat([head.expected(part) for part in states.split(chunk)]) for states in (a, b)
    )
    own = (mean_a * a).sum(1)[:, None] + (mean_b * b).sum(1)
    return ((own - mean_a @ b.T - a @ mean_b.T) / 2).clamp_(min=0)
