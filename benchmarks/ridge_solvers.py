"""Cross-validated ridge on real data: ours against the field's bootstrap and himalaya.

    python -m benchmarks.ridge_solvers [--boots 50] [--rows 3000]

Needs features made by `snakemake features --configfile config/realdata.yaml`. All three see the
same rows, columns and targets; times are CPU seconds (set OMP_NUM_THREADS=1). Fewer boots than 50
are scaled up, and the record says so.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from himalaya.backend import set_backend
from himalaya.kernel_ridge import MultipleKernelRidgeCV
from himalaya.scoring import correlation_score
from scipy.linalg import svd
from sklearn.model_selection import PredefinedSplit

from benchmarks.common import execute, timed, write
from benchmarks.real_fit import make_regression, stories_of
from pipeline.config.load import load
from pipeline.config.stories import test_stories
from pipeline.core.series import pearson
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import choose_solver, fit_block, make_solver
from pipeline.fit.regression import Regression

CHUNK = 40  # TRs
MODEL, ROWS = "ngram", 3000
BOOTS = 50
BOOTSTRAP_ALPHAS = np.logspace(1, 3, 10)  # the field's; they act as squares
SCALINGS = 20


def bootstrap_ridge(X: np.ndarray, Y: np.ndarray, boots: int, seed: int) -> np.ndarray:
    """Weights by the field's procedure: random held-out chunks, one decomposition a boot.

    Parameters
    ----------
    X, Y : arrays of shape (n_rows, n_columns), (n_rows, n_voxels)
        Training design and responses.
    boots : int
        Draws of a fifth of the chunks.
    seed : int
        Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    chunks = np.arange(len(X)) // CHUNK
    n_chunks = chunks[-1] + 1
    scores = np.zeros((len(BOOTSTRAP_ALPHAS), Y.shape[1]))
    for _ in range(boots):
        held = np.isin(chunks, rng.choice(n_chunks, n_chunks // 5, replace=False))
        U, S, Vt = svd(X[~held], full_matrices=False, check_finite=False)
        projected, targets = X[held] @ Vt.T, U.T @ Y[~held]
        for i, alpha in enumerate(BOOTSTRAP_ALPHAS):
            predicted = (projected * (S / (S**2 + alpha**2))) @ targets
            scores[i] += np.nan_to_num(pearson(predicted, Y[held]))
    best = BOOTSTRAP_ALPHAS[scores.argmax(axis=0)]
    U, S, Vt = svd(X, full_matrices=False, check_finite=False)
    return Vt.T @ (S[:, None] / (S[:, None] ** 2 + best**2) * (U.T @ Y))


def himalaya_ridge(regression: Regression, rows: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Test predictions of MultipleKernelRidgeCV with its random search over scalings."""
    set_backend("torch")  # faster than its NumPy one
    Y = np.concatenate([regression.responses[s] for s in regression.stories()])
    fold = np.concatenate(
        [np.full(len(regression.responses[s]), f) for s, f in regression.folds.items()]
    )
    parts = regression.design.slices
    model = MultipleKernelRidgeCV(
        kernels="precomputed",
        solver="random_search",
        cv=PredefinedSplit(fold),
        random_state=0,
        fit_intercept=True,
        solver_params={
            "n_iter": SCALINGS,
            "alphas": regression.alphas.astype(np.float32),
            "score_func": correlation_score,
            "progress_bar": False,
        },
    )
    model.fit(np.stack([rows[:, part] @ rows[:, part].T for part in parts]), Y)
    predicted = model.predict(np.stack([test[:, part] @ rows[:, part].T for part in parts]))
    return np.asarray(predicted)


def main() -> None:
    """Time all three on one subject and score them on its test stories."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="config/realdata.yaml")
    parser.add_argument("--subject", default="UTS03")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--rows", type=int, default=ROWS, help="training TRs, whole stories")
    parser.add_argument("--boots", type=int, default=BOOTS)
    parser.add_argument("--nested", action="store_true", help="time the nested fit, too")
    arguments = parser.parse_args()
    config, subject = load(arguments.config), arguments.subject
    dataset = Dataset.from_config(config)
    train = stories_of(config, subject, arguments.rows)
    held_out = test_stories(config, subject)
    names = config["models"][arguments.model]
    regression = make_regression(config, subject, names, train, held_out)
    design = regression.design
    X = np.concatenate([design.rows(s) for s in train])
    Y = np.concatenate([regression.responses[s] for s in train])
    tests = [design.rows(s) for s in held_out]
    measured = [dataset.read_responses(subject, s) for s in held_out]
    ends = np.cumsum([len(rows) for rows in tests])[:-1]

    def score(predicted: np.ndarray) -> float:
        """Mean r over test stories and targets."""
        pairs = zip(np.split(predicted, ends), measured, strict=True)
        return float(np.mean([np.nanmean(pearson(p, m)) for p, m in pairs]))

    rows = np.concatenate(tests)
    figures: dict[str, Any] = {}
    products, _ = timed(lambda: (X @ X.T if len(X) < X.shape[1] else X.T @ X, X.T @ Y))
    name = choose_solver("auto", len(X), X.shape[1], regression.n_folds)
    seconds, model = timed(lambda: make_solver(name, regression).fit(None))
    figures |= {"seconds": seconds, "r": score(model.predict(rows)), "solver": name}
    print(figures, flush=True)
    if arguments.nested:
        nested, _ = timed(lambda: fit_block(regression, make_solver(name, regression)))
        figures["seconds_with_nested_out_of_fold_predictions"] = nested
    himalaya, predicted = timed(lambda: himalaya_ridge(regression, X, rows))
    figures |= {"himalaya_seconds": himalaya, "himalaya_r": score(predicted)}
    print(figures, flush=True)
    boot, weights = timed(lambda: bootstrap_ridge(X, Y, arguments.boots, seed=0))
    # The last decomposition, of all rows, is nearly one boot more.
    whole = boot * (BOOTS + 1) / (arguments.boots + 1)
    figures |= {
        "bootstrap_boots_run": arguments.boots,
        "bootstrap_seconds_run": boot,
        "bootstrap_seconds_50": whole,
        "bootstrap_r": score(rows @ weights),
        "ratio_bootstrap": whole / seconds,
        "ratio_himalaya": himalaya / seconds,
        "products_seconds": products,
        "ratio_products": seconds / products,
    }
    apart = [arguments.model] * (arguments.model != MODEL)
    apart += [str(arguments.rows)] * (arguments.rows != ROWS)
    write(
        "_".join(["ridge_solvers", *apart]),
        f"one cross-validated fit (search and refit) of {'+'.join(b.name for b in design.bands)}, "
        f"{subject}, CPU seconds; r on the {len(held_out)} test stories",
        "(a) the field's bootstrap ridge, 50 boots of random 40-TR chunks, one SVD each; "
        f"(b) himalaya MultipleKernelRidgeCV, PyTorch backend, n_iter={SCALINGS}, the same folds, "
        "bands and alphas; (products) X'X or XX' and X'Y once",
        rows=len(X),
        columns=X.shape[1],
        voxels=Y.shape[1],
        alphas=len(regression.alphas),
        folds=regression.n_folds,
        **figures,
    )


if __name__ == "__main__":
    execute(main)
