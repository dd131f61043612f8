"""Nested cross-validation over training stories, then the final fit, of one block of voxels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.core.progress import track
from pipeline.core.series import pearson
from pipeline.fit.gram_engine import GramEngine
from pipeline.fit.grams import DesignGrams
from pipeline.fit.guided import Guide
from pipeline.fit.kernel_engine import KernelEngine, Kernels
from pipeline.fit.linalg import backend
from pipeline.fit.regression import Regression, Ridge, Solver
from pipeline.fit.remade_engine import RemadeEngine, RemadeSums
from pipeline.fit.search import Engine
from pipeline.fit.solver import SearchSolver
from pipeline.fit.sums import FixedSums, Out


@dataclass(frozen=True)
class BlockFit:
    """Fit of one block of voxels.

    Parameters
    ----------
    final : Ridge
        Fitted on all training stories.
    r_train : array of shape (n_training_stories, n_voxels)
        Out-of-fold r of each training story: nothing about its fold was used, neither for the
        weights nor for scalings and alphas.
    """

    final: Ridge
    r_train: np.ndarray


def choose_solver(name: str, n_rows: int, n_columns: int, n_folds: int) -> str:
    """Resolve `auto` by the size of the systems: Gram matrices, or kernels if they are smaller.

    Parameters
    ----------
    name : {"auto", "gram", "kernel", "himalaya"}
        As configured.
    n_rows, n_columns, n_folds : int
        Training rows, columns of the design, and folds, one of which a search leaves out.
    """
    if name != "auto":
        return name
    return "gram" if n_rows * (n_folds - 1) / n_folds >= n_columns else "kernel"


def make_solver(
    name: str,
    regression: Regression,
    device: str = "cpu",
    grams: DesignGrams | None = None,
    guide: Guide | None = None,
) -> Solver:
    """Solver of a regression.

    Parameters
    ----------
    name : {"gram", "kernel", "himalaya"}
        Which one.
    regression : Regression
        The regression.
    device : str
        "cpu", or PyTorch's name of a GPU.
    grams : DesignGrams, optional
        For `gram`, the sums of pairs of bands that other blocks of voxels made.
    guide : Guide, optional
        What the subject's reference voxels found (`make_guide`), `regression.reference` then being
        which of them each voxel is; made here, of those of the block, if not given.
    """
    if name == "himalaya":
        if regression.design.remade:
            what = "its search cannot make a memory of passages anew for every fold"
            raise ProblemError(Problem("fit.solver", name, what, "set auto, gram or kernel"))
        from pipeline.fit.himalaya_solver import HimalayaSolver  # slow to import

        return HimalayaSolver(regression, device)
    reference, places = regression.reference, np.full(regression.n_voxels, -1)
    if guide is None and reference is not None and len(reference) < len(places):
        if name == "gram":
            grams = grams or DesignGrams.of(regression.design, regression.folds)
        responses = {story: y[:, reference] for story, y in regression.responses.items()}
        guide = make_guide(name, replace(regression, responses=responses), device, grams)
        places[reference] = np.arange(len(reference))
        reference = places
    engine = make_engine(name, regression, device, grams)
    return SearchSolver(regression, engine, guide, reference if guide else None)


def make_guide(
    name: str, regression: Regression, device: str = "cpu", grams: DesignGrams | None = None
) -> Guide:
    """What the reference voxels, which are all of a regression's, find; see `make_solver`."""
    engine = make_engine(name, regression, device, grams)
    return SearchSolver(regression, engine, keep=True).guide()


def make_engine(
    name: str, regression: Regression, device: str = "cpu", grams: DesignGrams | None = None
) -> Engine:
    """Engine that solves a regression's candidates; see `make_solver`, all but himalaya."""
    own, design = backend(device), regression.design
    if name == "kernel":
        kernels = Kernels(design)
        if not design.remade:
            return KernelEngine(regression, own, kernels)

        def by_kernels(out: Out) -> Engine:
            return KernelEngine(replace(regression, design=design.without(out)), own, kernels)

        return RemadeEngine(regression, by_kernels)
    grams = grams or DesignGrams.of(design, regression.folds)
    sums = FixedSums(regression, own, grams.fixed)
    if not design.remade:
        return GramEngine(sums)

    def by_grams(out: Out) -> Engine:
        return GramEngine(RemadeSums(sums, out, grams.remade[out]))

    return RemadeEngine(regression, by_grams)


def fit_block(regression: Regression, solver: Solver) -> BlockFit:
    """Fit all training stories, and every fold's stories without them.

    Parameters
    ----------
    regression : Regression
        Design, responses, folds and candidates.
    solver : Solver
        The solver of it.
    """
    r_train: dict[str, np.ndarray] = {}
    for _, r in predict_folds(regression, solver):
        r_train |= r
    return BlockFit(solver.fit(exclude=None), np.stack([r_train[s] for s in regression.folds]))


def predict_folds(
    regression: Regression, solver: Solver
) -> Iterator[tuple[Ridge, dict[str, np.ndarray]]]:
    """Fit without each fold, one after the other, and predict its stories.

    Parameters
    ----------
    regression, solver
        As of `fit_block`.

    Yields
    ------
    model : Ridge
        Fitted on the other folds, where its alphas were chosen, too.
    r : dict of str to array of shape (n_voxels,)
        Of each story of the fold.
    """
    for fold in track(range(regression.n_folds), "folds predicted"):
        model = solver.fit(exclude=fold)
        design, r = regression.design.without((fold,)), {}
        for story in (s for s, f in regression.folds.items() if f == fold):
            # Without the intercept, beside which small predictions would lose their last digits.
            predicted = design.rows(story) @ model.weights
            r[story] = pearson(predicted, regression.responses[story])
        yield model, r
