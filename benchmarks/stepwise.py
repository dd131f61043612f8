"""Which bands a stepwise search takes, the choice repeated inside every outer fold.

    python -m benchmarks.stepwise --config FILE [OVERLAY ...] --candidates meaning300 lexicon ...
        [--subject UTS01] [--base eng1000 wordrate position] [--whole llm] [--n-components 100]

For every outer fold bands are added to the base one at a time: the one whose model has the highest
cross-validated r on the other folds, as long as that rises by `--least`. The stories of the outer
fold are then predicted by the bands chosen without them. So the r that is reported pays for the
choice, and how often a band was chosen says how sure it is. Beside it stand the base, the named
alternative `--whole`, and all candidates at once. Test stories are not read. Needs the features of
a run: `snakemake features --configfile FILE [OVERLAY ...]`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from benchmarks.common import execute, timed, write
from benchmarks.readable import merged, options, regression_of
from pipeline.core.interval import story_mean
from pipeline.fit.cross_validation import make_solver, predict_folds
from pipeline.fit.design import Band, Design
from pipeline.fit.regression import Regression

LEAST = 1e-4  # mean r on the inner folds, by which a step must be better


@dataclass(frozen=True)
class Nested:
    """One set of bands, fitted without each of the folds.

    Parameters
    ----------
    inner : array of shape (n_folds,)
        Cross-validated r on the other folds, mean over voxels.
    outer : dict of str to float
        Out-of-fold r of each story, mean over voxels.
    folds : dict of str to int
        Of each story.
    """

    inner: np.ndarray
    outer: dict[str, float]
    folds: dict[str, int]


def fit_nested(regression: Regression) -> Nested:
    """Fit a regression without each of its folds, every choice made without it."""
    inner: list[float] = []
    outer: dict[str, float] = {}
    for model, r in predict_folds(regression, make_solver("gram", regression)):
        inner.append(float(np.nanmean(model.score)))
        outer |= {story: float(np.nanmean(own)) for story, own in r.items()}
    return Nested(np.array(inner), outer, regression.folds)


def forward(
    fold: int,
    base: Sequence[str],
    candidates: Sequence[str],
    nested: Callable[[Sequence[str]], Nested],
    least: float = LEAST,
) -> list[str]:
    """The bands that are chosen without a fold, in the order they were added.

    Parameters
    ----------
    fold : int
        Nothing of it is looked at.
    base, candidates : sequences of str
        Bands there from the beginning, and to choose from.
    nested : callable
        The fit of some bands.
    least : float
        Rise in r at which a step is taken.
    """
    chosen: list[str] = []
    score = nested(base).inner[fold]
    while left := [band for band in candidates if band not in chosen]:
        scores = [nested([*base, *chosen, band]).inner[fold] for band in left]
        best = int(np.argmax(scores))
        if scores[best] - score < least:
            break
        score = scores[best]
        chosen.append(left[best])
    return chosen


class Fits:
    """Nested fits of a subject by their bands, each made once; so are bands without some folds.

    Parameters
    ----------
    regression : Regression
        With all bands.
    """

    def __init__(self, regression: Regression) -> None:
        self.regression = regression
        self._bands = {band.name: _kept(band) for band in regression.design.bands}
        self._made: dict[frozenset[str], Nested] = {}

    def __call__(self, bands: Sequence[str]) -> Nested:
        """The fit of some bands."""
        key = frozenset(bands)
        if key not in self._made:
            design = Design(tuple(self._bands[name] for name in bands))
            seconds, made = timed(partial(fit_nested, replace(self.regression, design=design)))
            self._made[key] = made
            r = np.mean(list(made.outer.values()))
            told = f"{made.inner.mean():.4f} inside, {r:.4f}, {seconds:.0f} CPU s"
            print(f"{'+'.join(bands)}: {told}", flush=True)
        return self._made[key]


def _kept(band: Band) -> Band:
    """A band whose memory, where it has one, is searched once for each set of folds left out."""
    return replace(band, remade=cache(band.remade)) if band.remade else band


def main() -> None:
    """Search, print, write the record."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--candidates", nargs="+", required=True)
    parser.add_argument("--least", type=float, default=LEAST)
    given = parser.parse_args()
    names = list(dict.fromkeys([*given.base, *given.candidates, given.whole]))
    config = merged(given.config)
    fits = Fits(regression_of(config, given.subject, names, given.n_components))
    base = fits(given.base)
    paths = [
        forward(fold, given.base, given.candidates, fits, given.least)
        for fold in range(len(base.inner))
    ]
    folds = [fits([*given.base, *path]) for path in paths]
    whole, every = fits([*given.base, given.whole]), fits([*given.base, *given.candidates])
    stepwise = {story: folds[fold].outer[story] for story, fold in base.folds.items()}
    rows = {"stepwise": stepwise, given.whole: whole.outer, "all candidates": every.outer}
    gains = {name: _gain(r, base.outer) for name, r in rows.items()}
    for name, (gain, low, high) in gains.items():
        share = gain / gains[given.whole][0]
        print(f"{name}: {gain:+.4f} ({low:+.4f} to {high:+.4f}), {share:.0%}")
    for fold, path in enumerate(paths):
        print(f"without fold {fold}: {' '.join(path)}")
    write(
        f"stepwise_{given.subject}",
        "gain in out-of-fold r over the base bands of those that a search inside each fold takes",
        given.whole,
        subject=given.subject,
        base="+".join(given.base),
        n_components=given.n_components,
        least=given.least,
        paths=paths,
        chosen=dict(Counter(band for path in paths for band in path).most_common()),
        gains={name: [round(v, 4) for v in values] for name, values in gains.items()},
    )


def _gain(r: dict[str, float], base: dict[str, float]) -> tuple[float, float, float]:
    """Mean gain over stories, and its interval."""
    return story_mean(np.array([r[story] - base[story] for story in base])).interval


if __name__ == "__main__":
    execute(main)
