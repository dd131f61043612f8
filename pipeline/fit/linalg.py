"""The dense algebra of a fit on a processor or a GPU, and ridge systems solved for many alphas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.linalg import lapack
from scipy.linalg.blas import strmm

from pipeline.errors import InputError, Problem

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

    def solve(self, matrix: Array, alpha: float, rhs: Array) -> Array:
        """Solve (matrix + alpha I) z = rhs for a symmetric matrix, by Cholesky; inputs are kept.

        Raises
        ------
        ArithmeticError
            If the system is not positive definite in its precision.
        """
        ...

    def quadratic(self, matrix: Array, vectors: Array) -> Array:
        """Diagonal of vectors' matrix vectors, (n_vectors,), for a symmetric single matrix."""
        ...


class Processor:
    """NumPy and LAPACK; arrays stay where they are."""

    def put(self, values: np.ndarray) -> np.ndarray:
        """See `Backend.put`."""
        return values

    def get(self, values: np.ndarray) -> np.ndarray:
        """See `Backend.get`."""
        return values

    def cast(self, values: np.ndarray, double: bool) -> np.ndarray:
        """See `Backend.cast`."""
        return values.astype(np.float64 if double else np.float32, copy=False)

    def solve(self, matrix: np.ndarray, alpha: float, rhs: np.ndarray) -> np.ndarray:
        """See `Backend.solve`."""
        double = matrix.dtype == np.float64
        potrf, potrs = (lapack.dpotrf, lapack.dpotrs) if double else (lapack.spotrf, lapack.spotrs)
        system = matrix.copy(order="C")
        system.flat[:: len(system) + 1] += alpha
        # The transpose of a symmetric C array is itself in Fortran's order: LAPACK copies nothing.
        factor, failed = potrf(system.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise ArithmeticError(f"not positive definite at alpha {alpha:g}")
        solution, _ = potrs(factor, np.array(rhs, matrix.dtype, order="F"), lower=1, overwrite_b=1)
        return solution

    def quadratic(self, matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """See `Backend.quadratic`; half the work of the full product.

        With M = L + L' - D, L lower triangular and D the diagonal, v'Mv = 2 v'Lv - v'Dv.
        """
        vectors = np.asarray(vectors, np.float32, order="F")
        lower = strmm(1.0, matrix.T, vectors, lower=1)
        twice = 2 * lower - matrix.diagonal()[:, None] * vectors
        return np.einsum("ij,ij->j", vectors, twice)


class Torch:
    """PyTorch on a device such as "cuda".

    Parameters
    ----------
    device : str
        Name that PyTorch gives it.

    Raises
    ------
    InputError
        If PyTorch cannot use the device.
    """

    def __init__(self, device: str) -> None:
        import torch

        self._torch = torch
        try:
            self.device = torch.zeros(1, device=device).device
        except (RuntimeError, AssertionError) as error:
            remedy = "set fit.device to cpu, or install PyTorch for this GPU"
            raise InputError(Problem("fit.device", device, str(error), remedy)) from error

    def put(self, values: np.ndarray) -> Array:
        """See `Backend.put`."""
        return self._torch.as_tensor(np.ascontiguousarray(values), device=self.device)

    def get(self, values: Array) -> np.ndarray:
        """See `Backend.get`."""
        return values.cpu().numpy()

    def cast(self, values: Array, double: bool) -> Array:
        """See `Backend.cast`."""
        return values.to(self._torch.float64 if double else self._torch.float32)

    def solve(self, matrix: Array, alpha: float, rhs: Array) -> Array:
        """See `Backend.solve`."""
        system = matrix.clone()
        system.diagonal().add_(alpha)
        factor, failed = self._torch.linalg.cholesky_ex(system)
        if failed.item():
            raise ArithmeticError(f"not positive definite at alpha {alpha:g}")
        return self._torch.cholesky_solve(rhs.to(matrix.dtype), factor)

    def quadratic(self, matrix: Array, vectors: Array) -> Array:
        """See `Backend.quadratic`."""
        vectors = vectors.to(matrix.dtype)
        return (vectors * (matrix @ vectors)).sum(0)


def backend(device: str) -> Backend:
    """Backend of the configured `fit.device`: "cpu" (NumPy), else PyTorch's device of that name."""
    return Processor() if device == "cpu" else Torch(device)


class System:
    """A positive semidefinite matrix M, and solutions of (M + alpha I) z = rhs.

    Single precision is used only where its rounding stays well below `alpha`; elsewhere the system
    need not be positive definite in it, and is solved in double, as are `SMALL` systems.

    Parameters
    ----------
    build : callable
        Gives the matrix, (n, n), symmetric; its argument says whether in double precision.
    n : int
        Rows.
    trace : float
        Trace of the matrix.
    backend : Backend
        Where it lives.
    margin : float
        Single precision is used for alphas above margin * eps * trace(matrix).
    """

    def __init__(
        self,
        build: Callable[[bool], Array],
        n: int,
        trace: float,
        backend: Backend,
        margin: float = 10,
    ) -> None:
        self._build, self._backend = build, backend
        smallest = margin * float(np.finfo(np.float32).eps) * trace
        self._smallest = smallest if n > SMALL else float("inf")
        self._built: dict[bool, Array] = {}

    def solve(self, alpha: float, rhs: Array) -> Array:
        """Solutions, (n, n_voxels) like `rhs`, in the precision that they needed.

        Raises
        ------
        InputError
            If alpha is too small even for double precision.
        """
        double = alpha <= self._smallest
        if double not in self._built:
            self._built[double] = self._build(double)
        try:
            return self._backend.solve(self._built[double], alpha, rhs)
        except ArithmeticError as error:
            what = f"alpha {alpha:g} is lost in rounding: columns of the design are collinear"
            raise InputError(Problem("fit.alphas.min", "", what, "raise it")) from error
