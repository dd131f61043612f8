"""Train an encoder for a few minutes, without a teacher: ``python -m gim.brief CORPUS... --out``.

A stand-in for the distilled encoder, for tests and tables. Its loss is the one that fuzzy induction
is judged by: the soft counts of other positions of the batch should name the token that came.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import trange

from gim.corpus import read_documents
from gim.encoder import RECEPTIVE, Encoder
from gim.errors import InputError
from gim.tokenizer import Tokenizer

LENGTH = 2 * RECEPTIVE  # tokens of a training sequence: at least the receptive field
QUERIES = 256


def train_briefly(
    encoder: Encoder,
    ids: NDArray[np.int64],
    *,
    steps: int,
    batch: int = 16,
    rate: float = 1e-3,
    seed: int = 0,
    progress: bool = False,
) -> list[float]:
    """Train in place on one long sequence of encoder tokens; return the loss of every step.

    In each batch, ``QUERIES`` positions look for the others' followers: the loss is minus the log
    of the share of soft counts that fall on the token that followed the query.
    """
    if len(ids) <= LENGTH:
        raise InputError(f"{len(ids)} tokens to train on; more than {LENGTH} are needed")
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(encoder.parameters(), rate, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps + 1)
    encoder.train()
    losses = []
    for _ in trange(steps, desc="training", disable=not progress):
        starts = rng.integers(0, len(ids) - LENGTH, batch)
        tokens = torch.from_numpy(ids[starts[:, None] + np.arange(LENGTH + 1)])
        vectors = encoder(tokens[:, :-1]).flatten(0, 1)
        order = torch.from_numpy(rng.permutation(len(vectors)))
        loss = _induction_loss(vectors[order], tokens[:, 1:].flatten()[order], encoder)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    encoder.eval()
    return losses


def _induction_loss(
    vectors: torch.Tensor, following: torch.Tensor, encoder: Encoder
) -> torch.Tensor:
    """The first ``QUERIES`` rows ask the rest; queries whose token nobody saw are left out."""
    logits = (vectors[:QUERIES] @ vectors[QUERIES:].T - 1) / encoder.config.temperature
    same = following[:QUERIES, None] == following[None, QUERIES:]
    answerable = same.any(1)
    shares = logits.log_softmax(1).masked_fill(~same, float("-inf"))[answerable]
    return -shares.logsumexp(1).mean()


def read_tokens(paths: Iterable[str | Path], tokenizer: Tokenizer, limit: int) -> NDArray[np.int64]:
    """The first ``limit`` tokens of each file, joined."""
    parts = []
    for path in paths:
        left = limit
        for document in read_documents([path]):
            parts.append(tokenizer.encode(document.text)[:left])
            left -= len(parts[-1])
            if left <= 0:
                break
    return np.concatenate(parts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--tokens", type=int, default=3_000_000, help="per corpus file")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    encoder = Encoder.create(seed=args.seed, width=args.width, dim=args.dim)
    ids = read_tokens(args.corpora, encoder.tokenizer, args.tokens)
    losses = train_briefly(encoder, ids, steps=args.steps, seed=args.seed, progress=True)
    encoder.save_pretrained(args.out)
    print(f"{args.out}: loss {np.mean(losses[:50]):.3f} -> {np.mean(losses[-50:]):.3f}")


if __name__ == "__main__":
    main()
