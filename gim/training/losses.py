"""What an encoder is trained to do in a batch of texts."""

import torch
from torch import Tensor, nn

from gim.training.settings import Weights


def distillation_losses(
    student: Tensor,
    teacher: Tensor,
    induction: Tensor,
    weights: Weights,
    states: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    """The losses of one batch.

    Parameters
    ----------
    student, teacher : tensors of shape (n_queries, n_candidates)
        Minus the encoder's, and the teacher's, distances, over their temperatures.
    induction : scalar
        See `induction_loss`.
    states : pair of tensors of shape (n_positions, state_dim), optional
        The teacher's states, standardised, and the encoder's guess.

    Returns
    -------
    losses : dict of scalars
        "loss", the weighted sum, and its parts by name.
    """
    log_s, log_t = student.log_softmax(1), teacher.log_softmax(1)
    found = {
        "nearest": nn.functional.nll_loss(log_s, teacher.argmax(1)),
        "reverse_kl": (log_s.exp() * (log_s - log_t)).sum(1).mean(),
        "induction": induction,
    }
    if states is not None:
        found["states"] = nn.functional.mse_loss(*states)
    parts = [getattr(weights, name) * value for name, value in found.items()]
    return {"loss": torch.stack(parts).sum(), **{k: v.detach() for k, v in found.items()}}


def induction_loss(vectors: Tensor, following: Tensor, temperature: float) -> Tensor:
    """Minus the log of the share of soft counts that falls on the token that came.

    Every position of a text asks those before it, as fuzzy induction does; positions whose next
    token has not come before are left out.

    Parameters
    ----------
    vectors : tensor of shape (n_texts, n, dim)
        Unit vectors of the positions.
    following : int tensor of shape (n_texts, n)
        The token after each position.
    temperature : float
        T of the similarity exp(-(1 - cos) / T).
    """
    n = vectors.shape[1]
    before = torch.ones(n, n, dtype=torch.bool, device=vectors.device).tril(-1)
    same = (following[:, :, None] == following[:, None]) & before
    answerable = same.any(2)
    if not answerable.any():
        return vectors.sum() * 0
    scores = vectors @ vectors.transpose(1, 2) / temperature
    every = scores.masked_fill(~before, float("-inf"))[answerable].logsumexp(1)
    right = scores.masked_fill(~same, float("-inf"))[answerable].logsumexp(1)
    return (every - right).mean()
