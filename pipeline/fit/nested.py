"""Nested cross-validation over training stories, then the final fit, of one block of voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.fit.base import Problem, Ridge, Solver
from pipeline.fit.gram_solver import GramSolver
from pipeline.fit.himalaya_solver import HimalayaSolver
from pipeline.progress import track
from pipeline.score import pearson

SOLVERS: dict[str, Callable[[Problem], Solver]] = {"himalaya": HimalayaSolver, "gram": GramSolver}
HIMALAYA_LIMIT = 1e11  # floating-point operations: some seconds; above, Gram matrices are faster


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


def choose_solver(name: str, problem: Problem) -> str:
    """Resolve `auto`: himalaya where its work stays below `HIMALAYA_LIMIT`, else Gram matrices.

    Parameters
    ----------
    name : {"auto", "himalaya", "gram"}
        As configured.
    problem : Problem
        The problem; only shapes count.
    """
    if name != "auto":
        return name
    n_rows = sum(len(y) for y in problem.responses.values())
    n_voxels = next(iter(problem.responses.values())).shape[1]
    small, large = sorted((n_rows, problem.design.n_columns))
    decomposition = 20 * small**2 * large
    products = 2 * len(problem.alphas) * n_rows * (n_rows / problem.n_folds) * n_voxels
    searches = problem.n_folds**2 * len(problem.scalings)
    return "himalaya" if searches * (decomposition + products) < HIMALAYA_LIMIT else "gram"


def fit_block(problem: Problem, solver: str) -> BlockFit:
    """Fit all training stories, and every fold's stories without them.

    Parameters
    ----------
    problem : Problem
        Design, responses, folds and candidates.
    solver : {"himalaya", "gram"}
        Which solver.
    """
    engine = SOLVERS[solver](problem)
    r_train = {}
    for fold in track(range(problem.n_folds), f"{solver}: folds predicted"):
        model = engine.fit(exclude=fold)
        for story in (s for s, f in problem.folds.items() if f == fold):
            predicted = model.predict(problem.design.rows(story))
            r_train[story] = pearson(predicted, problem.responses[story])
    return BlockFit(engine.fit(exclude=None), np.stack([r_train[s] for s in problem.folds]))
