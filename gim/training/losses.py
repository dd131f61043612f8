"""What an encoder is trained to do in a batch of queries and candidates."""

import torch
from torch import Tensor, nn

from gim.training.settings import Weights


def distillation_losses(
    student: Tensor,
    teacher: Tensor,
    following: Tensor,
    weights: Weights,
    states: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    """The losses of one batch of positions, queries first and candidates after them.

    Parameters
    ----------
    student : tensor of shape (n_positions, n_positions)
        Minus the encoder's distances between all positions, over its temperature.
    teacher : tensor of shape (n_queries, n_positions - n_queries)
        Minus the teacher's distances of queries and candidates, over its temperature.
    following : int tensor of shape (n_positions,)
        The token after each position.
    states : pair of tensors of shape (n_positions, state_dim), optional
        The teacher's states, standardised, and the encoder's guess.

    Returns
    -------
    losses : dict of scalars
        "loss", the weighted sum, and its parts by name.
    """
    n = len(teacher)
    log_s, log_t = student[:n, n:].log_softmax(1), teacher.log_softmax(1)
    found = {
        "nearest": nn.functional.nll_loss(log_s, teacher.argmax(1)),
        "reverse_kl": (log_s.exp() * (log_s - log_t)).sum(1).mean(),
        "induction": _induction_loss(student, following),
    }
    if states is not None:
        found["states"] = nn.functional.mse_loss(*states)
    parts = [getattr(weights, name) * value for name, value in found.items()]
    return {"loss": torch.stack(parts).sum(), **{k: v.detach() for k, v in found.items()}}


def _induction_loss(student: Tensor, following: Tensor) -> Tensor:
    """Every position asks all others; those whose next token follows no other are left out."""
    itself = torch.eye(len(student), dtype=torch.bool, device=student.device)
    log_s = student.masked_fill(itself, float("-inf")).log_softmax(1)
    same = (following[:, None] == following) & ~itself
    answerable = same.any(1)
    if not answerable.any():
        return student.sum() * 0
    return -log_s.masked_fill(~same, float("-inf"))[answerable].logsumexp(1).mean()
