"""A subject's BOLD as principal components, one basis for all stories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.core.progress import track
from pipeline.dataset.dataset import Dataset

EXACT_UP_TO = 4096  # voxels; above, the covariance matrix is too large and PCA is incremental


@dataclass(frozen=True)
class ResponseBasis:
    """Leading principal components of a subject's BOLD.

    Parameters
    ----------
    mean : array of shape (n_voxels,)
        Mean over the training rows.
    components : array of shape (n_components, n_voxels)
        Orthonormal; signs such that the largest loading of each is positive.
    variance : array of shape (n_components,)
        Variance along each over the training rows.
    total : float
        Variance of all voxels together over these rows; NaN where it is not known.
    """

    mean: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    total: float = float("nan")

    def scores(self, responses: np.ndarray) -> np.ndarray:
        """Project responses (n_rows, n_voxels) row by row, giving (n_rows, n_components)."""
        return (responses - self.mean) @ self.components.T


def fit_basis(
    dataset: Dataset, subject: str, train: Sequence[str], n_components: int
) -> ResponseBasis:
    """Principal components of the training stories (never of a test story).

    One basis a subject, so that a component means the same in every story. Stories are read one at
    a time; up to `EXACT_UP_TO` voxels the covariance is diagonalised, above that scikit-learn's
    incremental PCA is used.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    train : sequence of str
        The subject's training stories.
    n_components : int
        Components wanted; fewer if there are fewer voxels or rows.
    """
    n_voxels = dataset.n_voxels(subject, train[0])
    n_components = min(n_components, n_voxels, sum(dataset.grid(s).n_rows for s in train))
    if n_voxels <= EXACT_UP_TO:
        mean, components, variance, total = _exact(dataset, subject, train, n_components)
    else:
        mean, components, variance, total = _incremental(dataset, subject, train, n_components)
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return ResponseBasis(mean, components * signs[:, None], variance, float(total))


def _exact(
    dataset: Dataset, subject: str, train: Sequence[str], n_components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    from scipy.linalg import eigh  # slow to import

    n_voxels = dataset.n_voxels(subject, train[0])
    n_rows, total, products = 0, np.zeros(n_voxels), np.zeros((n_voxels, n_voxels))
    for story in train:
        responses = dataset.read_responses(subject, story).astype(np.float64)
        n_rows += len(responses)
        total += responses.sum(axis=0)
        products += responses.T @ responses
    mean = total / n_rows
    covariance = products / n_rows - np.outer(mean, mean)
    total = np.trace(covariance)
    values, vectors = eigh(
        covariance,
        subset_by_index=(n_voxels - n_components, n_voxels - 1),
    )
    return mean, vectors[:, ::-1].T, values[::-1], total


def _incremental(
    dataset: Dataset, subject: str, train: Sequence[str], n_components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    from sklearn.decomposition import IncrementalPCA  # slow to import, and rarely needed

    pca = IncrementalPCA(n_components)
    waiting: list[np.ndarray] = []
    for i, story in enumerate(train):
        waiting.append(dataset.read_responses(subject, story))
        enough = sum(map(len, waiting)) >= 2 * n_components
        rest = sum(dataset.grid(s).n_rows for s in train[i + 1 :])
        # A batch needs at least n_components rows: the last ones join the batch before them.
        if not rest or (enough and rest >= 2 * n_components):
            pca.partial_fit(np.concatenate(waiting))
            waiting = []
    return pca.mean_, pca.components_, pca.explained_variance_, pca.var_.sum()


class BasisFile(LayoutFile):
    """A subject's principal components, and the scores of every story.

    Datasets: `components` (n_components, n_voxels), float32, orthonormal; `mean` (n_voxels,) and
    `variance` (n_components,), as `ResponseBasis` has them; `scores/STORY` (n_rows, n_components),
    in units of the responses. Attributes: `layout`; `total`, the variance of all voxels together.
    """

    LAYOUT = "basis/1"

    @classmethod
    @contextmanager
    def create(cls, path: str | Path, basis: ResponseBasis) -> Iterator[BasisFile]:
        """Make a file with the components, to which the stories' scores come."""
        with cls._create(path) as made:
            made._file["components"] = basis.components.astype(np.float32)
            made._file["mean"] = basis.mean
            made._file["variance"] = basis.variance
            made._file.attrs["total"] = basis.total
            yield made

    def write_scores(self, story: str, scores: np.ndarray) -> None:
        """Write the scores of a story, (n_rows, n_components)."""
        self._file[f"scores/{story}"] = scores

    def basis(self) -> ResponseBasis:
        """The components."""
        with self._open() as file:
            total = float(file.attrs.get("total", np.nan))
            return ResponseBasis(file["mean"][:], file["components"][:], file["variance"][:], total)

    def kept(self) -> float | None:
        """Share of the variance of the training rows that the components keep, where known."""
        with self._open() as file:
            share = float(file["variance"][:].sum() / file.attrs.get("total", np.nan))
        return share if np.isfinite(share) else None

    def scores(self, stories: Sequence[str]) -> dict[str, np.ndarray]:
        """Component scores of stories, arrays of shape (n_rows, n_components)."""
        with self._open() as file:
            return {story: np.asarray(file[f"scores/{story}"]) for story in stories}


def response_basis(
    dataset: Dataset,
    subject: str,
    *,
    train: Sequence[str],
    test: Sequence[str],
    n_components: int,
    output: str | Path,
) -> None:
    """Fit components on training stories, project every story on them, write a `BasisFile`."""
    basis = fit_basis(dataset, subject, train, n_components)
    with BasisFile.create(output, basis) as file:
        for story in track([*train, *test], f"{subject}: component scores"):
            file.write_scores(story, basis.scores(dataset.read_responses(subject, story)))
