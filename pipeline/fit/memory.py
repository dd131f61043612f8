"""How many voxels fit into memory at a time."""

from __future__ import annotations

from pipeline.errors import InputError, Problem

BASE = 0.7e9  # bytes: Python, libraries and the undelayed features of 34,000 rows
GIGABYTE = 1e9


def fixed_bytes(solver: str, n_rows: int, n_columns: int, n_bands: int, n_folds: int) -> float:
    """Memory that a fit takes whatever its voxels: Gram or kernel matrices.

    Gram matrices are in double precision for every fold, their sum, the training set, its scaled
    copy and one difference, in single for every fold (scores), the training set, the system and
    its factor (two, as a factor may be double). Kernels are in double for every band, whole and of
    the training rows, for a system and its factor, in single for the training rows, a system and
    its factor; beside them is the design.
    """
    if solver == "gram":
        return BASE + n_columns**2 * (8 * (n_folds + 4) + 4 * (n_folds + 4))
    return BASE + n_rows**2 * (8 * (2 * n_bands + 2) + 4 * (n_bands + 2)) + 8 * n_rows * n_columns


def voxel_bytes(solver: str, n_rows: int, n_columns: int, n_folds: int, n_candidates: int) -> float:
    """Memory of one voxel: responses, X'Y of folds and training sets, weights, scores."""
    scores = 4 * n_candidates * (n_folds + 1)
    if solver == "gram":
        return 4 * n_rows + 4 * n_columns * (n_folds + 13) + scores
    return 4 * n_rows * 8 + 4 * n_columns * 3 + scores


def block_size(
    n_voxels: int,
    gigabytes: float,
    solver: str,
    n_rows: int,
    n_columns: int,
    n_bands: int,
    n_folds: int,
    n_candidates: int,
) -> int:
    """Voxels of a block so that a fit stays within `gigabytes`; blocks are of nearly equal size.

    Raises
    ------
    InputError
        If not even a hundred voxels fit.
    """
    fixed = fixed_bytes(solver, n_rows, n_columns, n_bands, n_folds)
    each = voxel_bytes(solver, n_rows, n_columns, n_folds, n_candidates)
    fitting = int((gigabytes * GIGABYTE - fixed) // each)
    enough = min(n_voxels, 100)
    if fitting < enough:
        needed = (fixed + enough * each) / GIGABYTE
        what = f"{gigabytes:g} GB are too few for {n_rows} rows and {n_columns} columns"
        remedy = f"set it to {needed:.1f} or more, or reduce bands with n_components"
        raise InputError(Problem("fit.memory_gb", "", what, remedy))
    n_blocks = max(-(-n_voxels // max(fitting, 1)), 1)
    return -(-n_voxels // n_blocks)
