"""How many voxels fit into memory at a time."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.errors import Problem, ProblemError

BASE = 0.7e9  # bytes: Python, libraries and the undelayed features of 34,000 rows
GIGABYTE = 1e9
POINTS = 50  # alphas of the wide bands that a search tries


def fixed_bytes(
    solver: str,
    n_rows: int,
    n_columns: int,
    n_bands: int,
    n_folds: int,
    remade: Sequence[int] = (),
) -> float:
    """Memory that a fit takes whatever its voxels: Gram or kernel matrices.

    Gram matrices are in double and in single precision for every fold; a system and its factor are
    one matrix, in double where alphas are small, and making it in double takes another. Kernels
    are in double and in single for every band; at some alphas they are one of all rows, one of the
    training rows and a copy on the way; beside them is the design. `remade` are the columns of the
    bands that differ with the folds left out: at most two, scored on in single precision.
    """
    n_sets = 1 + n_folds * (n_folds + 1) // 2  # of folds left out
    if solver == "gram":
        own = n_sets * sum(remade) * n_columns * (8 + 4 * 3)
        return BASE + n_columns**2 * (8 * (n_folds + 2) + 4 * (n_folds + 1)) + own
    kernels = n_bands + n_sets * len(remade)
    return BASE + n_rows**2 * (12 * kernels + 8 * 3) + 4 * n_rows * n_columns * 2


def voxel_bytes(
    solver: str,
    n_rows: int,
    n_columns: int,
    n_folds: int,
    n_narrow: int,
    remade: Sequence[int] = (),
) -> float:
    """Memory of one voxel: responses, X'Y of folds and training sets, weights, scores.

    `n_narrow` is how many combinations of narrow bands' alphas are tried; `remade` as above.
    """
    # Kept of every point on every fold, and of reference voxels means and levels; these are
    # compared in double precision, others a few at a time.
    kept = 4 * n_folds * (n_folds * n_narrow + n_narrow + n_folds) * POINTS
    scores = kept + 8 * n_folds * n_folds * n_narrow + 4 * 8 * n_narrow * POINTS
    if solver == "gram":
        own = 3 * n_folds * (n_folds + 1) // 2 * sum(remade)  # X'Y of two folds and the rest
        return 4 * n_rows + 4 * (n_columns * (n_folds + 13) + own) + scores
    return 4 * n_rows * 8 + 4 * n_columns * 3 + scores


def block_size(
    n_voxels: int,
    gigabytes: float,
    solver: str,
    n_rows: int,
    n_columns: int,
    n_bands: int,
    n_folds: int,
    n_narrow: int,
    n_reference: int = 0,
    remade: Sequence[int] = (),
) -> int:
    """Voxels of a block so that a fit stays within `gigabytes`; blocks are of nearly equal size.

    Where there are several, what the `n_reference` reference voxels found lies beside each.

    Raises
    ------
    ProblemError
        If not even a hundred voxels fit.
    """
    fixed = fixed_bytes(solver, n_rows, n_columns, n_bands, n_folds, remade)
    each = voxel_bytes(solver, n_rows, n_columns, n_folds, n_narrow, remade)
    fitting = int((gigabytes * GIGABYTE - fixed) // each)
    beside = n_reference if n_voxels + n_reference > fitting else 0
    fitting -= beside
    enough = min(n_voxels, 100)
    if fitting < enough:
        needed = (fixed + (enough + beside) * each) / GIGABYTE
        what = f"{gigabytes:g} GB are too few for {n_rows} rows and {n_columns} columns"
        remedy = f"set it to {needed:.1f} or more, or reduce bands with n_components"
        raise ProblemError(Problem("fit.memory_gb", "", what, remedy))
    n_blocks = max(-(-n_voxels // max(fitting, 1)), 1)
    return -(-n_voxels // n_blocks)


def refit_block_size(
    n_voxels: int, gigabytes: float, solver: str, n_rows: int, n_columns: int, n_bands: int
) -> int:
    """Voxels of a block where alphas are known (`pipeline.fit.refit`), one at least.

    A Gram matrix is there in double and in single precision, and as a system in either; of a voxel
    its responses twice, X'Y or the duals, the solution, the weights, each with a copy on the way.
    """
    fixed = BASE + n_columns**2 * (8 * 3 + 4 * 2)
    each = 4 * (2 * n_rows + 9 * n_columns)
    if solver == "kernel":
        fixed = BASE + n_rows**2 * (12 * n_bands + 8 * 3) + 4 * n_rows * n_columns * 2
        each = 4 * (8 * n_rows + 5 * n_columns)
    fitting = max(int((gigabytes * GIGABYTE - fixed) // each), 1)
    n_blocks = -(-n_voxels // fitting)
    return -(-n_voxels // n_blocks)
