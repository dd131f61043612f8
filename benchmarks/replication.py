"""From the published protocol to the audited one, one correction at a time, on a real subject.

    python -m benchmarks.replication --subject UTS01 --targets components
    python -m benchmarks.replication --subject UTS01 --targets components --rungs audited --draws 20
    python -m benchmarks.replication_table

Each rung keeps the corrections of those before it (`RUNGS`). Its models add columns copied after
GIM's matches to Eng1000, and as controls columns copied as far back but after no particular moment,
after random moments, and columns of noise; `--draws` says what random moments alone can do, by
further draws of them. Targets are the subject's components, or noisy
pseudo-voxels (`benchmarks.pseudo_voxels`), of which the components that are copied are then made.
`wheretheressmoke` tests, as published; so that its figures can be told from chance, so do the
training stories of config/realdata.yaml that the published list does not have. They choose nothing.

Writes a file a model into results/published/replication, of which `benchmarks.replication_table`
makes the tables; builds Eng1000 there first. What is there is not made again: to change an option,
remove it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import published
from benchmarks.common import execute
from benchmarks.replication_data import (
    COPYING,
    DRAW,
    FOLDER,
    TEST,
    Subject,
    Values,
    story_of,
)
from pipeline.config.load import load
from pipeline.config.stories import training_stories
from pipeline.core.atomic import atomic_path
from pipeline.core.series import delay, pearson, varies, zscore
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Band, Design
from pipeline.statistics.blocks import block_starts

CONFIG, OTHERS = "config/published.yaml", "config/realdata.yaml"
WIDE = np.append(published.ALPHAS, np.logspace(3.5, 6, 6))
N_COLUMNS = (3940, 3600)  # published: of Eng1000, and of what is copied
BLOCK = 20  # TRs of a block of the test story's jackknife
BASE = ("eng1000", "wordrate", "position", "drift")
Predict = Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Rung:
    """What is done, a step each; the defaults are the published protocol.

    Parameters
    ----------
    columns : {"all", "components"}
        Of Eng1000.
    matches : {"published", "causal"}
        Filtered rows of similarities; or one state a TR, of candidates that are old enough.
    basis, scaling : {"story", "training"}
        What fits the components that are copied, and what scales the columns made of them.
    delays : {"on end", "story"}
        Of stories on end, or inside each.
    fit : {"bootstrap", "one alpha", "banded", "audited"}
        Chunks of stories; or folds of whole stories and a wide grid, with one alpha for all
        columns, with one a band, and with the controls beside.
    """

    columns: str = "components"
    matches: str = "causal"
    basis: str = "training"
    scaling: str = "training"
    delays: str = "story"
    fit: str = "bootstrap"


RUNGS = {
    "published": Rung("all", "published", "story", "story", "on end"),
    "columns": Rung("components", "published", "story", "story", "on end"),
    "matches": Rung("components", "causal", "story", "story", "on end"),
    "basis": Rung("components", "causal", "training", "story", "on end"),
    "scaling": Rung("components", "causal", "training", "training", "on end"),
    "stories": Rung(),
    "folds": Rung(fit="one alpha"),
    "banded": Rung(fit="banded"),
    "audited": Rung(fit="audited"),
}
# Models without matches are those of the rung `columns`.
BEFORE = "columns"
UNCHANGED = dict.fromkeys(("matches", "basis", "scaling"), ("eng1000", "noise"))


def fits(subject: Subject, rung: Rung, model: str) -> Iterator[tuple[str, Predict]]:
    """Fit a model on the training stories: the grid of its alphas, and what predicts a story."""
    copied = None
    if model != "eng1000":
        copied = subject.copied(model, rung.matches == "published", rung.basis)
    if rung.fit == "bootstrap":
        return _by_bootstrap(subject, rung, copied)
    return _by_folds(subject, rung, model, copied)


def _by_bootstrap(
    subject: Subject, rung: Rung, copied: Values | None
) -> Iterator[tuple[str, Predict]]:
    """The published ridge, with its grid of alphas and with a wide one."""
    if copied is not None:
        copied = _scaled(copied, None if rung.scaling == "story" else subject.train)

    def rows(names: Sequence[str]) -> np.ndarray:
        """The design of stories on end."""
        known = subject.eng1000 if rung.columns == "all" else subject.components
        words = [known[story_of(name)] for name in names]
        if copied is None:
            return delay(np.concatenate(words), subject.delays)
        after = np.concatenate([copied[name] for name in names])
        delays, weights = subject.fir
        weighed = delay(after, delays) * np.repeat(np.asarray(weights, np.float32), after.shape[1])
        return np.concatenate([delay(np.concatenate(words), subject.delays), weighed], axis=1)

    if rung.delays == "story":
        x = np.concatenate([rows([story]) for story in subject.train])
    else:
        x = rows(subject.train)
    y = np.concatenate([subject.bold[story] for story in subject.train])
    grids = (published.ALPHAS, WIDE)
    fitted = published.bootstrap_ridge(x, y, grids, subject.n_bootstraps, subject.seed)
    for grid, fit in zip(("published", "wide"), fitted, strict=True):
        at_edge = (fit.alpha == published.ALPHAS[-1]).mean()
        print(f"  {grid}: {at_edge:.0%} at 1,000, median {np.median(fit.alpha):.0f}", flush=True)
        yield grid, partial(_predicted, rows, fit.weights)


def _predicted(
    rows: Callable[[Sequence[str]], np.ndarray], weights: np.ndarray, name: str
) -> np.ndarray:
    return rows([name]) @ weights


def _scaled(copied: Values, train: Sequence[str] | None) -> Values:
    """Columns z-scored within each story, or by the training stories' constants; float32."""
    if train is None:
        return {name: zscore(v).astype(np.float32) for name, v in copied.items()}
    pooled = np.concatenate([copied[story] for story in train])
    mean, scale = pooled.mean(axis=0), np.where(varies(pooled), pooled.std(axis=0), np.inf)
    return {name: ((v - mean) / scale).astype(np.float32) for name, v in copied.items()}


def _by_folds(
    subject: Subject, rung: Rung, model: str, copied: Values | None
) -> Iterator[tuple[str, Predict]]:
    """The workflow's own fit."""
    bands = [subject.word_band(b) for b in (BASE if rung.fit == "audited" else BASE[:1])]
    if rung.fit == "audited" and model == "gim":  # above its lag control
        bands.append(subject.band("lag", subject.copied("lag", False, rung.basis)))
    if copied is not None:
        bands.append(subject.band(model, copied))
    design = Design(tuple(bands))
    if rung.fit == "one alpha":
        design = _joined(design, subject.names)
    ridge = make_solver("gram", subject.regression(design, subject.bold)).fit(None)
    yield "wide", lambda name: ridge.predict(design.rows(name))


def _joined(design: Design, names: Sequence[str]) -> Design:
    """All bands as one, each column with the variance that it has when all are z-scored.

    Then bands weigh by their published numbers of columns, of Eng1000 and of what is copied.
    """
    n_columns = N_COLUMNS[: len(design.bands)]
    share = np.sqrt(np.array(n_columns) / sum(n_columns))
    parts = zip(design.bands, share, strict=True)
    rows = [{n: s * band.rows(n) for n in names} for band, s in parts]
    values = {n: np.concatenate([r[n] for r in rows], axis=1) for n in names}
    return Design((Band("all", values, (0,), (1.0,)),))


def scores(subject: Subject, predict: Predict) -> Values:
    """Of every test story `r/NAME` and `root/NAME` (signed root of R2), (n_voxels,).

    Of `TEST` also `jack/NAME`: r without each block of TRs, (n_blocks, n_voxels).
    """
    found = {}
    for name in subject.tests:
        p, y = predict(name), subject.bold[name]
        found[f"r/{name}"] = pearson(p, y)
        found[f"root/{name}"] = published.signed_root(p, y)
        if story_of(name) == TEST:
            starts = [*block_starts(len(y), BLOCK), len(y)]
            keep = [np.r_[: starts[i], starts[i + 1] : len(y)] for i in range(len(starts) - 1)]
            found[f"jack/{name}"] = np.stack([pearson(p[k], y[k]) for k in keep])
    return {key: value.astype(np.float32) for key, value in found.items()}


def output(subject: str, targets: str, rung: str, model: str) -> Path:
    """Scores of one model of a rung."""
    return FOLDER / f"{subject}_{targets}_{rung}_{model}.npz"


def run(subject: Subject, rung: str, draws: int) -> None:
    """Fit and score the models of a rung, and write their scores; those that are there stay."""
    again = [f"random{DRAW}{number}" for number in range(1, draws + 1)]
    for model in ("eng1000", *COPYING, *again):
        path = output(subject.name, subject.targets, rung, model)
        if model in UNCHANGED.get(rung, ()) or path.exists():
            continue
        started = time.process_time()
        found: Values = {}
        print(f"{subject.name} {subject.targets} {rung} {model}", flush=True)
        for grid, predict in fits(subject, RUNGS[rung], model):
            scored = scores(subject, predict)
            found |= {f"{model}/{grid}/{key}": value for key, value in scored.items()}
            r = [scored[f"r/{name}"].mean() for name in subject.tests]
            kinds = len(r) // (1 + len(subject.others))
            print(f"  {grid}: r {r[0]:.4f}, others {np.mean(r[kinds::kinds]):.4f}", flush=True)
        print(f"  {time.process_time() - started:.0f} CPU s", flush=True)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **found)


def main() -> None:
    """Run some rungs of a subject."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--more", default=OTHERS, help="configuration that has more stories")
    parser.add_argument("--subject", default="UTS01")
    parser.add_argument("--targets", choices=("components", "pseudo"), default="components")
    parser.add_argument("--rungs", nargs="+", choices=RUNGS, default=list(RUNGS))
    parser.add_argument("--bootstraps", type=int, default=3, help="of the published fit (was 50)")
    parser.add_argument("--others", type=int, default=None, help="stories beside the test story")
    parser.add_argument("--draws", type=int, default=0, help="further draws of random moments")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    config, more = load(given.config), load(given.more)
    train = training_stories(config, given.subject)
    others = [s for s in training_stories(more, given.subject) if s not in {*train, TEST}]
    subject = Subject(
        given.subject, given.targets, config, train, others[: given.others],
        given.bootstraps, given.seed,
    )  # fmt: skip
    for rung in given.rungs:
        run(subject, rung, given.draws)


if __name__ == "__main__":
    execute(main)
