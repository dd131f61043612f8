"""The dense algebra of a fit, on a processor or a GPU."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.linalg import lapack
from scipy.linalg.blas import strmm

from pipeline.core.errors import Problem, ProblemError

SMALL = 500  # rows of a system that double precision costs nothing worth speaking of
Array = Any  # numpy array, or torch tensor on a device


class Backend(Protocol):
    """Where arrays live. Operators (+, -, *, @, indexing) are those of numpy and torch alike."""

    def put(self, values: np.ndarray) -> Array:
        """Array on the device."""
        ...

    def get(self, values: Array) -> np.ndarray:
        """Array in the processor's memory."""
        ...

    def cast(self, values: Array, double: bool) -> Array:
        """Array in double or single precision (the same one if it is already)."""
        ...

    def empty(self, n_rows: int, n_columns: int, double: bool) -> Array:
        """A new matrix, to be filled."""
        ...

    def columns(self, n_rows: int, n_columns: int) -> Array:
        """A new matrix in single precision whose columns are filled and used one by one."""
        ...

    def join(self, left: Array, right: Array) -> Array:
        """Columns of both side by side."""
        ...

    def block(self, matrix: Array, rows: list[slice], columns: list[slice]) -> Array:
        """The given rows and columns, a new matrix."""
        ...

    def solve(self, matrix: Array, penalty: np.ndarray, rhs: Array) -> Array:
        """Solve (matrix + diag(penalty)) z = rhs for a symmetric matrix; both are overwritten.

        Raises
        ------
        ProblemError
            If the penalty is lost in rounding, in the matrix' precision.
        """
        ...

    def quadratic(self, matrix: Array, vectors: Array) -> Array:
        """Diagonal of vectors' matrix vectors, (n_vectors,), for a symmetric single matrix."""
        ...

    def products(self, left: Array, right: Array) -> Array:
        """Products of the columns of two matrices, (n_columns,)."""
        ...


class Processor:
    """NumPy and LAPACK; arrays stay where they are.

    Where LAPACK solves for many columns these lie one after another, as it wants them: so nothing
    as large as they are is copied into another order.
    """

    def put(self, values: np.ndarray) -> np.ndarray:
        """See `Backend.put`."""
        return values

    def get(self, values: np.ndarray) -> np.ndarray:
        """See `Backend.get`."""
        return values

    def cast(self, values: np.ndarray, double: bool) -> np.ndarray:
        """See `Backend.cast`."""
        return values.astype(np.float64 if double else np.float32, copy=False)

    def empty(self, n_rows: int, n_columns: int, double: bool) -> np.ndarray:
        """See `Backend.empty`."""
        return np.empty((n_rows, n_columns), np.float64 if double else np.float32)

    def columns(self, n_rows: int, n_columns: int) -> np.ndarray:
        """See `Backend.columns`."""
        return np.empty((n_rows, n_columns), np.float32, order="F")

    def join(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """See `Backend.join`."""
        n, n_columns = left.shape
        both = np.empty((n, n_columns + right.shape[1]), left.dtype, order="F")
        both[:, :n_columns], both[:, n_columns:] = left, right
        return both

    def block(self, matrix: np.ndarray, rows: list[slice], columns: list[slice]) -> np.ndarray:
        """See `Backend.block`."""
        parts = [np.concatenate([matrix[r, c] for c in columns], axis=1) for r in rows]
        return np.concatenate(parts)

    def solve(self, matrix: np.ndarray, penalty: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        """See `Backend.solve`."""
        double = matrix.dtype == np.float64
        potrf, potrs = (lapack.dpotrf, lapack.dpotrs) if double else (lapack.spotrf, lapack.spotrs)
        matrix.flat[:: len(matrix) + 1] += penalty.astype(matrix.dtype)
        # The transpose of a symmetric C array is itself in Fortran's order: LAPACK copies nothing.
        factor, failed = potrf(matrix.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise _lost_in_rounding()
        rhs = np.asarray(rhs, matrix.dtype, order="F")
        solution, _ = potrs(factor, rhs, lower=1, overwrite_b=1)
        return solution

    def quadratic(self, matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """See `Backend.quadratic`; half the work of the full product.

        With M = L + L' - D, L lower triangular and D the diagonal, v'Mv = 2 v'(L - D/2)v.
        """
        vectors = np.asarray(vectors, np.float32, order="F")
        diagonal = matrix.diagonal().copy()
        matrix.flat[:: len(matrix) + 1] = diagonal / 2
        lower = strmm(2.0, matrix.T, vectors, lower=1)
        matrix.flat[:: len(matrix) + 1] = diagonal
        return self.products(vectors, lower)

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """See `Backend.products`."""
        return np.vecdot(left.T, right.T)


class Torch:
    """PyTorch on a device such as "cuda".

    Parameters
    ----------
    device : str
        Name that PyTorch gives it.

    Raises
    ------
    ProblemError
        If PyTorch cannot use the device.
    """

    def __init__(self, device: str) -> None:
        import torch

        self._torch = torch
        try:
            self.device = torch.zeros(1, device=device).device
        except (RuntimeError, AssertionError) as error:
            remedy = "set fit.device to cpu, or install PyTorch for this GPU"
            raise ProblemError(Problem("fit.device", device, str(error), remedy)) from error

    def put(self, values: np.ndarray) -> Array:
        """See `Backend.put`."""
        return self._torch.as_tensor(np.ascontiguousarray(values), device=self.device)

    def get(self, values: Array) -> np.ndarray:
        """See `Backend.get`."""
        return values.cpu().numpy()

    def cast(self, values: Array, double: bool) -> Array:
        """See `Backend.cast`."""
        return values.to(self._torch.float64 if double else self._torch.float32)

    def empty(self, n_rows: int, n_columns: int, double: bool) -> Array:
        """See `Backend.empty`."""
        kind = self._torch.float64 if double else self._torch.float32
        return self._torch.empty(n_rows, n_columns, dtype=kind, device=self.device)

    def columns(self, n_rows: int, n_columns: int) -> Array:
        """See `Backend.columns`."""
        return self.empty(n_rows, n_columns, double=False)

    def join(self, left: Array, right: Array) -> Array:
        """See `Backend.join`."""
        return self._torch.cat([left, right], dim=1)

    def block(self, matrix: Array, rows: list[slice], columns: list[slice]) -> Array:
        """See `Backend.block`."""
        parts = [self._torch.cat([matrix[r, c] for c in columns], dim=1) for r in rows]
        return self._torch.cat(parts)

    def solve(self, matrix: Array, penalty: np.ndarray, rhs: Array) -> Array:
        """See `Backend.solve`."""
        matrix.diagonal().add_(self.put(penalty).to(matrix.dtype))
        factor, failed = self._torch.linalg.cholesky_ex(matrix)
        if failed.item():
            raise _lost_in_rounding()
        return self._torch.cholesky_solve(rhs.to(matrix.dtype), factor)

    def quadratic(self, matrix: Array, vectors: Array) -> Array:
        """See `Backend.quadratic`."""
        vectors = vectors.to(matrix.dtype)
        return self.products(vectors, matrix @ vectors)

    def products(self, left: Array, right: Array) -> Array:
        """See `Backend.products`."""
        return (left * right).sum(0)


def backend(device: str) -> Backend:
    """Backend of the configured `fit.device`: "cpu" (NumPy), else PyTorch's device of that name."""
    return Processor() if device == "cpu" else Torch(device)


def _lost_in_rounding() -> ProblemError:
    what = "the smallest alphas are lost in rounding: columns of the design are collinear"
    return ProblemError(Problem("fit.alphas.min", "", what, "raise it"))


def single_is_safe(trace: float, margin: float) -> bool:
    """Whether single precision solves a system M + diag(penalty) as well as it need be.

    Where rounding comes near the penalty, the system need not even be positive definite.

    Parameters
    ----------
    trace : float
        Trace of M with rows and columns divided by the square root of their penalty: a bound of
        its eigenvalues, and rounding is relative to the largest of them.
    margin : float
        How far the penalty (then 1) shall be above rounding.
    """
    return margin * float(np.finfo(np.float32).eps) * trace < 1
