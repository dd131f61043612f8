"""Fitting the numbers of a mixture on held-out documents, by gradient.

The documents must not be in the index, whose counts would know them. Of the thousand votes of a
place a sample is kept, in strata: those for the token that came, those that agree or are alike, and
the others, each standing for as many as were there. Sums are the same in the mean, fitting takes a
fourth of the time, and more positions, which help more, can be fitted on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gim._kernels.weigh import ALL, CLASSES, LAST
from gim.errors import InputError
from gim.weighing.model import WeightedGIM
from gim.weighing.place import BASE, Place
from gim.weighing.weights import GATE, HEADS, SLOPES, SOURCES, UNITS, Weights

EPOCHS = 6
BATCH = 128
KEPT = 256  # votes of a place
ALIKE = 48  # of which by the similarity of their states
RATE = 0.05
DECAY = 1e-4  # of the gate, in standard units: what data say nothing about stays at zero
SPREADS = (5.0, 3.0)  # of the votes' strength and focus, which are known only as they are fitted
LOGS = 0.3  # unit of the logarithms among the features, for the hidden units
SCORES_OF_NGRAMS = [SLOPES.index(name) for name in ("log_p_ngrams", "log_p_unigram")]
COSINES = [SLOPES.index(name) for name in ("cosine", "cosine_squared")]


@dataclass
class Observations:
    """What was seen at n places, and whether it spoke for the token that came.

    Attributes
    ----------
    classes : int8 array of shape (n, kept)
        Of a sample of the votes.
    votes : float16 array of shape (n, kept, n_features)
    hits : bool array of shape (n, kept)
        Whether the vote was for the token that came; places beyond ``sizes`` are empty.
    logs : float32 array of shape (n, kept)
        Logarithm of how many votes each stands for.
    sizes : int array of shape (n,)
    known : float array of shape (n, n_known)
        What the gate knows without the votes' weights.
    shares : float array of shape (n, 3)
        Probability of the token by n-grams, by the longest suffix, and uniform.
    present : bool array of shape (n, n_sources)
    """

    classes: NDArray[np.int8]
    votes: NDArray[np.float16]
    hits: NDArray[np.bool_]
    logs: NDArray[np.float32]
    sizes: NDArray[np.int64]
    known: NDArray[np.float32]
    shares: NDArray[np.float64]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sizes)

    @staticmethod
    def concatenate(parts: "list[Observations]") -> "Observations":
        """Join observations of the same window."""
        return Observations(
            *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Observations))
        )

    def without(self, corpus: bool, encoder: bool) -> "Observations":
        """As they would be without a corpus, or without an encoder, where that is False."""
        votes, known, present = self.votes.copy(), self.known.copy(), self.present.copy()
        if not corpus:
            votes[:, :, SCORES_OF_NGRAMS] = 0
            known[:, 1 : GATE.index("agreement") + 1] = 0
            present[:, :2] = False
        if not encoder:
            votes[:, :, COSINES] = 0
            known[:, GATE.index("cosine")] = 0
            present[:, SOURCES.index("similar")] = False
        return replace(self, votes=votes, known=known, present=present)


def observe(
    model: WeightedGIM,
    pieces: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
    kept: int = KEPT,
    seed: int = 0,
) -> Observations:
    """See the scored places of some texts.

    Parameters
    ----------
    model : WeightedGIM
        Its weights do not matter.
    pieces : iterable of (ids, targets)
        As for `WeightedGIM.score`.
    kept : int
        Votes of a place to keep at most.
    seed : int
        Of the sample of votes.
    """
    parts, rng = [], np.random.default_rng(seed)
    for ids, targets in pieces:
        places = np.flatnonzero(targets >= 0)
        part = _empty(len(places), max(1, min(kept, model.window - 1)))
        for row, (t, stream) in enumerate(model.walk(ids, places)):
            place, target, n = stream.place, int(targets[t]), stream.place.n
            hits = stream.context[1:] == target
            chosen, logs = _sample(_strata(place, hits), min(kept, n), rng)
            n = len(chosen)
            part.classes[row, :n], part.votes[row, :n] = place.classes[chosen], place.votes[chosen]
            part.hits[row, :n], part.logs[row, :n] = hits[chosen], logs
            part.sizes[row], part.known[row] = n, place.known[:BASE]
            part.present[row] = place.present
            part.shares[row, 0] = place.p[target] if len(place.p) else 0
            if len(place.counts):
                here = place.counts[place.followers == target].sum()
                part.shares[row, 1] = here / place.counts.sum()
            part.shares[row, 2] = 1 / model.tokenizer.vocab_size
        parts.append(part)
    if not parts:
        raise InputError("no held-out document has a position to fit weights on")
    return Observations.concatenate(parts)


def _strata(place: Place, hits: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Votes for the token that came; others that agree or are most alike; the rest."""
    near = place.classes > 0
    if place.n > ALIKE:
        near[np.argpartition(-place.votes[:, COSINES[0]], ALIKE)[:ALIKE]] = True
    return [np.flatnonzero(part) for part in (hits, near & ~hits, ~near & ~hits)]


def _sample(
    strata: list[NDArray[np.int64]], kept: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Of each stratum all, or so many that all strata fit; and the log of what each stands for."""
    fits = sum(map(len, strata)) <= kept
    chosen, logs = [np.empty(0, np.int64)], [np.empty(0)]
    for votes, most in zip(strata, (kept // 4, kept // 2, kept), strict=True):
        n = min(len(votes), kept if fits else max(most, 1), kept - sum(map(len, chosen)))
        if n:
            chosen.append(votes if n == len(votes) else rng.choice(votes, n, replace=False))
            logs.append(np.full(n, np.log(len(votes) / n)))
    return np.concatenate(chosen), np.concatenate(logs)


def _empty(n: int, width: int) -> Observations:
    return Observations(
        np.zeros((n, width), np.int8),
        np.zeros((n, width, len(SLOPES)), np.float16),
        np.zeros((n, width), np.bool_),
        np.zeros((n, width), np.float32),
        np.zeros(n, np.int64),
        np.zeros((n, BASE), np.float32),
        np.zeros((n, 3)),
        np.zeros((n, len(SOURCES)), np.bool_),
    )


def fit_weights(seen: Observations, epochs: int = EPOCHS, seed: int = 0) -> tuple[Weights, float]:
    """Find the weights under which the tokens that came are most probable.

    Returns
    -------
    weights : Weights
    log_prob : float
        Mean log-probability over the last epoch, nats a token.
    """
    torch.manual_seed(seed)
    mixture = _Mixture(seen)
    steps = max(1, len(seen) // BATCH)
    optimiser = torch.optim.Adam(mixture.parameters(), RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=epochs * steps + 1, pct_start=0.1
    )
    rng, total = np.random.default_rng(seed), 0.0
    for _ in range(epochs):
        total = 0.0
        for rows in np.array_split(rng.permutation(len(seen)), steps):
            log_prob = mixture(*_tensors(seen, np.sort(rows))).mean()
            loss = DECAY * mixture.gate[:, 1:].square().sum() - log_prob
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += log_prob.item() / steps
    return mixture.weights(), total


def _tensors(seen: Observations, rows: NDArray[np.int64]) -> list[Tensor]:
    return [torch.from_numpy(getattr(seen, f.name)[rows]) for f in fields(Observations)]


class _Mixture(nn.Module):
    """The mixture of `gim._kernels.weigh`, for the token that came, with gradients.

    The gate is fitted in standard units of what it knows; `weights` gives it in plain ones.
    """

    def __init__(self, seen: Observations) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(len(HEADS), CLASSES))
        self.slopes = nn.Parameter(torch.zeros(len(HEADS), len(SLOPES)))
        self.unit_table = nn.Parameter(0.3 * torch.randn(len(UNITS), CLASSES))
        self.unit_slopes = nn.Parameter(0.3 * torch.randn(len(UNITS), len(SLOPES)))
        self.unit_votes = nn.Parameter(torch.zeros(len(HEADS), len(UNITS)))
        self.gate = nn.Parameter(torch.zeros(len(SOURCES), len(GATE)))
        scale = np.concatenate([np.ones(BASE), np.repeat(SPREADS, len(HEADS))])
        mean = np.zeros(len(GATE))
        mean[1:BASE] = seen.known[:, 1:].mean(0)
        spread = seen.known[:, 1:].std(0)
        scale[1:BASE] = np.where(spread > 1e-3, spread, 1)
        self.unit_scale = torch.tensor(
            [1.0 if SLOPES.index(name) in COSINES else LOGS for name in SLOPES]
        )
        self.mean, self.scale = torch.tensor(mean).float(), torch.tensor(scale).float()
        self._begin()

    def _begin(self) -> None:
        """Heads begin as what their names say."""
        agree = [sum(3 * (k >> i & 1) / 2**i for i in range(LAST)) for k in range(ALL)]
        cosine, lag, apt = (SLOPES.index(n) for n in ("cosine_squared", "log_lag", "log_p_ngrams"))
        with torch.no_grad():
            self.table[0] = torch.tensor([*agree, *np.linspace(7, 12, CLASSES - ALL)])
            self.slopes[1, cosine] = 8
            self.slopes[2, lag], self.slopes[2, apt] = -0.3, 0.5
            self.gate[1:, 0] = -2
            self.gate[-1, 0] = -6

    def forward(
        self,
        classes: Tensor,
        votes: Tensor,
        hits: Tensor,
        logs: Tensor,
        sizes: Tensor,
        known: Tensor,
        shares: Tensor,
        present: Tensor,
    ) -> Tensor:
        """Log-probability of each token that came."""
        size = int(sizes.max())
        seen, kinds = votes[:, :size].float(), classes[:, :size].long()
        units = seen * self.unit_scale @ self.unit_slopes.T
        units = (units + nn.functional.embedding(kinds, self.unit_table.T)).relu()
        logits = seen @ self.slopes.T + nn.functional.embedding(kinds, self.table.T)
        logits = logits + units @ self.unit_votes.T + logs[:, :size, None]
        logits = logits.masked_fill((torch.arange(size) >= sizes[:, None])[..., None], -1e4)
        strength = logits.logsumexp(1)
        attention = (logits - strength[:, None]).exp()
        here = (sizes > 0)[:, None]
        focus = (attention.square() * (-logs[:, :size, None]).exp()).sum(1).clamp_min(1e-30).log()
        told = torch.cat([known, strength * here, focus * here], 1)
        told = (told - self.mean) / self.scale
        weights = (told @ self.gate.T).masked_fill(~present, -1e4).log_softmax(1)
        by_votes = (attention * hits[:, :size, None]).sum(1)
        p = torch.cat([shares[:, :2].float(), by_votes, shares[:, 2:].float()], 1)
        return (weights + p.clamp_min(1e-30).log()).logsumexp(1)

    def weights(self) -> Weights:
        """As plain numbers."""
        gate = self.gate.detach().double() / self.scale.double()
        gate[:, 0] -= gate[:, 1:] @ self.mean[1:].double()
        parts = [self.table, self.slopes, self.unit_table, self.unit_slopes * self.unit_scale]
        parts += [self.unit_votes, gate]
        return Weights(*(part.detach().double().numpy() for part in parts))
