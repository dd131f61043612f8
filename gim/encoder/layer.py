"""One layer of the encoder, with attention limited to a window of tokens."""

from functools import cache

import torch
from torch import Tensor, nn

GROUP = 32  # queries that share a matrix product
ROWS = 64  # from which on copying for oneDNN costs less than it saves


def linear(layer: nn.Linear, x: Tensor) -> Tensor:
    """``layer(x)``, by oneDNN where that can be sooner: many rows on a processor, no gradients.

    PyTorch's own products are MKL's, which makes no use of the AVX-512 of AMD's processors: on such
    an EPYC oneDNN takes half the time, its copies of ``x`` and of the weights included. On Intel's
    own, MKL is sooner by a few per cent. The two differ by rounding.

    Parameters
    ----------
    layer : nn.Linear
    x : tensor of shape (..., n_in)

    Returns
    -------
    tensor of shape (..., n_out)
    """
    if not _pays(x):
        return layer(x)
    bias = None if layer.bias is None else layer.bias.to_mkldnn()
    return nn.functional.linear(x.to_mkldnn(), layer.weight.to_mkldnn(), bias).to_dense()


def _pays(x: Tensor) -> bool:
    """Whether oneDNN is there, can take ``x``, and its copies are worth it."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()
    some = plain and x.shape[:-1].numel() >= ROWS
    return some and torch.backends.mkldnn.is_available() and not _is_intel()


@cache
def _is_intel() -> bool:
    """Whether the processor is one for which MKL was made."""
    capabilities: dict = getattr(torch.cpu, "get_capabilities", dict)()  # older versions have none
    return "Intel" in str(capabilities.get("cpu_name"))


class Layer(nn.Module):
    """Pre-norm Transformer layer whose attention sees ``window`` ancestors of each token.

    Three ways to the same result: independent lines (training), a line that goes on from its last
    keys and values, and branches of it.
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        # Relative positions: a bias, and a key of its own, for every distance.
        self.bias = nn.Parameter(torch.zeros(window, heads))
        self.distance = nn.Parameter(0.02 * torch.randn(window, heads, width // heads))
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map independent lines of tokens, x of shape (batch, length, width)."""
        return self._mix(x, self._band(*self._heads(x).unbind(-3)))

    @torch.no_grad()
    def silence(self) -> None:
        """Add nothing to what comes in."""
        for weight in (self.out.weight, self.down.weight, self.down.bias):
            weight.zero_()

    def grow(self, x: Tensor, branches: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Map new nodes of a token tree; see `Encoder.grow`.

        Parameters
        ----------
        x : tensor of shape (n, width)
        branches : int tensor of shape (n_branches, window)
        past : tensor of shape (n_past, 2, heads, size)
            Keys and values.

        Returns
        -------
        x : tensor of shape (n, width)
        memory : tensor of shape (n_past + n, 2, heads, size)
        """
        heads = self._heads(x)
        q, memory = heads[:, 0], torch.cat([past, heads[:, 1:]])
        line, end = len(x) - len(branches), len(memory) - len(branches)
        k, v = memory.unbind(1)
        mixed = self._band(q[:line], k[:end], v[:end])
        if len(branches):
            mixed = torch.cat([mixed, self._tree(q[line:], k, v, branches)])
        return self._mix(x, mixed), memory

    def _heads(self, x: Tensor) -> Tensor:
        """Queries, keys and values, (..., 3, heads, size)."""
        heads = 3, self.heads, x.shape[-1] // self.heads
        return linear(self.qkv, self.norm1(x)).unflatten(-1, heads)

    def _mix(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + linear(self.out, mixed.flatten(-2))
        return x + linear(self.down, nn.functional.gelu(linear(self.up, self.norm2(x))))

    def _tree(self, q: Tensor, k: Tensor, v: Tensor, ancestors: Tensor) -> Tensor:
        """Attention of nodes, q of shape (n, heads, size), to the rows in ``ancestors``."""
        rows = ancestors.clamp(min=0)
        scores = (q[:, None] * (k[rows] + self.distance)).sum(-1) / q.shape[-1] ** 0.5 + self.bias
        weights = scores.masked_fill((ancestors < 0)[:, :, None], float("-inf")).softmax(1)
        return (weights[..., None] * v[rows]).sum(1)

    def _band(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """The same for lines, (..., n, heads, size), whose queries are the last rows of k and v.

        Blocks of queries are multiplied with the keys that any of them sees.
        """
        n, window = q.shape[-3], len(self.bias)
        block = max(1, min(GROUP, n))
        missing, spare = window - 1 - (k.shape[-3] - n), -n % block
        keys, values = (
            nn.functional.pad(part, (0, 0, 0, 0, max(missing, 0), spare))[
                ..., max(-missing, 0) :, :, :
            ].unfold(-3, block + window - 1, block)
            for part in (k, v)
        )  # (..., blocks, heads, size, keys)
        q = nn.functional.pad(q, (0, 0, 0, 0, 0, spare)).unflatten(-3, (-1, block))
        q = q.transpose(-3, -2)
        here, there = torch.arange(block, device=q.device), torch.arange(keys.shape[-1])
        apart = here[:, None] + window - 1 - there.to(q.device)
        step = apart.clamp(0, window - 1)
        ahead = (q @ self.distance.permute(1, 2, 0)).gather(-1, step.expand(*q.shape[:-2], -1, -1))
        scores = (q @ keys + ahead) / q.shape[-1] ** 0.5 + self.bias.T[:, step]
        unseen = ((apart < 0) | (apart >= window)).expand(q.shape[-4], 1, -1, -1)
        if missing > 0:  # rows before the beginning of the text
            first = block * torch.arange(q.shape[-4], device=q.device)
            row = first[:, None] + there.to(q.device)
            unseen = unseen | (row < missing)[:, None, None]
        weights = scores.masked_fill(unseen, float("-inf")).softmax(-1)
        mixed = (weights @ values.transpose(-2, -1)).transpose(-3, -2)
        return mixed.flatten(-4, -3)[..., :n, :, :]
