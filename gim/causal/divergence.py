"""How far apart next-token distributions are (Kim, Mantena et al. 2025, arXiv 2411.00066, 3.2)."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Distance = Literal["symmetric_kl", "jsd"]


def symmetric_kl(a: Tensor, b: Tensor) -> Tensor:
    """(KL(p|q) + KL(q|p)) / 2, by two matrix products.

    Parameters
    ----------
    a, b : float tensors of shape (n, vocabulary) and (m, vocabulary)
        Log-probabilities.

    Returns
    -------
    divergence : tensor of shape (n, m), nats
    """
    p, q = a.exp(), b.exp()
    own = torch.einsum("iv,iv->i", p, a)[:, None] + torch.einsum("jv,jv->j", q, b)
    return ((own - p @ b.T - a @ q.T) / 2).clamp_(min=0)


def jsd(a: Tensor, b: Tensor) -> Tensor:
    """Jensen-Shannon divergence, H((p + q) / 2) - (H(p) + H(q)) / 2; else as `symmetric_kl`.

    At most ln 2. The entropy of every mixture takes a logarithm of its own, so this costs many
    times what `symmetric_kl` does; a row of ``a`` at a time bounds the memory.
    """
    p, q = a.exp(), b.exp()
    entropy_q = torch.special.entr(q).sum(1)
    rows = [
        torch.special.entr((row + q) / 2).sum(1) - (torch.special.entr(row).sum() + entropy_q) / 2
        for row in p
    ]
    return torch.stack(rows).clamp_(min=0)


DIVERGENCES: dict[Distance, Callable[[Tensor, Tensor], Tensor]] = {
    "symmetric_kl": symmetric_kl,
    "jsd": jsd,
}
