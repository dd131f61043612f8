"""The HDF5 file of a fit: all that is written of it, and every way to read it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.core.hdf5 import REGIONS, read_regions, write_regions
from pipeline.fit.options import Alphas

ALL = slice(None)
NAMES = ("bands", "train", "test")
WHOLE = {*NAMES, REGIONS}  # datasets that every chunk of voxels has whole
MANY = 0.05  # warn when more of the predicted voxels than this want an alpha at an edge


@dataclass(frozen=True)
class Scores:
    """Correlations of one subject and model, double.

    Parameters
    ----------
    bands, train : lists of str
        Bands of the model, and training stories.
    r, r_concat, r_cv : arrays of shape (n_voxels,)
        Mean over the test stories, test stories on end, mean of `r_train`.
    r_train : array of shape (n_train, n_voxels)
        Out-of-fold r of each training story.
    """

    bands: list[str]
    train: list[str]
    r: np.ndarray
    r_concat: np.ndarray
    r_cv: np.ndarray
    r_train: np.ndarray


class FitFile(LayoutFile):
    """One model of one subject, or a chunk of its voxels. Float32 but for the names.

    ===================  ====================  ==================================================
    dataset              shape                 what
    ===================  ====================  ==================================================
    `r`                  (n_voxels,)           Pearson r, mean over the test stories
    `r_concat`           (n_voxels,)           r of the test stories on end
    `r_cv`               (n_voxels,)           mean of `r_train`
    `r_test`             (n_test, n_voxels)    r of each test story
    `r_train`            (n_train, n_voxels)   out-of-fold r of each training story
    `alpha`              (n_bands, n_voxels)   ridge penalty; infinite: the band is left out
    `share`              (n_bands, n_voxels)   the band's part of R2, mean over the test stories
    `predictions/STORY`  (n_rows, n_voxels)    of a test story, in units of the responses
    `copied/STORY`       (n_rows, n_voxels)    what copied matches add to it, about its mean;
                                               only where bands copy matches
    `weights_BAND`       (n_columns, n_voxels) of a band's delayed columns, if they are kept
    `bands`              (n_bands,)            names as bytes; `train` and `test` likewise
    `regions`            (n_voxels,)           names of the subject's regions, also in a chunk;
                                               only where voxels are columns with names
    ===================  ====================  ==================================================

    r is NaN where the response does not vary. Attributes: `layout`; `subject`, `model`,
    `provenance` (JSON); `solver`; `alpha_at_min` and `alpha_at_max` (`at_edges`), not
    of chunks.
    """

    LAYOUT = "fit/1"

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | Path,
        *,
        n_voxels: int,
        bands: Sequence[str],
        train: Sequence[str],
        test: Mapping[str, int],
        copies: bool = False,
        weights: Mapping[str, int] | None = None,
        regions: Sequence[str] | None = None,
    ) -> Iterator[FitFile]:
        """Make a file with all datasets, zero, to be filled by blocks of voxels.

        Parameters
        ----------
        path : path
            HDF5 to write.
        n_voxels : int
            Voxels of the file.
        bands, train : sequences of str
            Names, in order.
        test : dict of str to int
            Test stories and their rows.
        copies : bool
            Whether bands copy matches.
        weights : dict of str to int
            Bands whose weights are kept, and their delayed columns.
        regions : sequence of str
            Names of all the subject's voxels, if they are regions of a table.
        """
        shapes = {
            "r": (n_voxels,),
            "r_concat": (n_voxels,),
            "r_cv": (n_voxels,),
            "r_test": (len(test), n_voxels),
            "r_train": (len(train), n_voxels),
            "alpha": (len(bands), n_voxels),
            "share": (len(bands), n_voxels),
        }
        for group in ("predictions", "copied") if copies else ("predictions",):
            shapes |= {f"{group}/{story}": (n, n_voxels) for story, n in test.items()}
        shapes |= {f"weights_{band}": (n, n_voxels) for band, n in (weights or {}).items()}
        with cls._create(path) as made:
            for name, shape in shapes.items():
                made._file.create_dataset(name, shape, np.float32)
            for name, values in zip(NAMES, (bands, train, list(test)), strict=True):
                made._file[name] = np.array(values, dtype="S")
            write_regions(made._file, regions)
            yield made

    @classmethod
    @contextmanager
    def join(cls, chunks: Sequence[str | Path], path: str | Path) -> Iterator[FitFile]:
        """Make a file of chunks of voxels, given in order, with the attributes of the first."""
        with ExitStack() as stack, cls._create(path) as made:
            files = [stack.enter_context(cls(chunk)._open()) for chunk in chunks]
            first = files[0]
            for name in _datasets(first):
                if name in WHOLE:
                    made._file[name] = first[name][:]
                else:
                    _concatenate([file[name] for file in files], made._file, name)
            made._file.attrs.update(dict(first.attrs))
            yield made

    def write_training(
        self, voxels: slice, *, alpha: np.ndarray, r_train: np.ndarray, r_cv: np.ndarray
    ) -> None:
        """Write what the training stories say of a block of voxels."""
        self._file["alpha"][:, voxels] = alpha
        self._file["r_train"][:, voxels] = r_train
        self._file["r_cv"][voxels] = r_cv

    def write_test(
        self,
        voxels: slice,
        *,
        r: np.ndarray,
        r_test: np.ndarray,
        r_concat: np.ndarray,
        share: np.ndarray,
        predictions: Mapping[str, np.ndarray],
        copied: Mapping[str, np.ndarray],
    ) -> None:
        """Write what the test stories say of a block of voxels; `copied` may be empty."""
        self._file["r"][voxels] = r
        self._file["r_test"][:, voxels] = r_test
        self._file["r_concat"][voxels] = r_concat
        self._file["share"][:, voxels] = share
        for group, stories in (("predictions", predictions), ("copied", copied)):
            for story, values in stories.items():
                self._file[f"{group}/{story}"][:, voxels] = values

    def write_weights(self, voxels: slice, band: str, weights: np.ndarray) -> None:
        """Write the weights of a band's delayed columns, (n_columns, n_block)."""
        self._file[f"weights_{band}"][:, voxels] = weights

    def write_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Write attributes of the file."""
        self._file.attrs.update(attributes)

    def scores(self) -> Scores:
        """Correlations over all voxels."""
        with self._open() as file:
            return Scores(
                _names(file, "bands"),
                _names(file, "train"),
                *(np.asarray(file[k][:], np.float64) for k in ("r", "r_concat", "r_cv", "r_train")),
            )

    def r(self) -> np.ndarray:
        """Mean r over the test stories as it was written, float32, shape (n_voxels,)."""
        with self._open() as file:
            return np.asarray(file["r"][:])

    def r_test(self) -> dict[str, np.ndarray]:
        """Test stories and r in each, arrays of shape (n_voxels,), double."""
        with self._open() as file:
            r = np.asarray(file["r_test"][:], np.float64)
            return dict(zip(_names(file, "test"), r, strict=True))

    def alpha(self) -> np.ndarray:
        """Ridge penalties, array of shape (n_bands, n_voxels)."""
        with self._open() as file:
            return np.asarray(file["alpha"][:])

    def shares(self) -> dict[str, np.ndarray]:
        """Bands and their shares of R2, mean over test stories, arrays of shape (n_voxels,)."""
        with self._open() as file:
            share = np.asarray(file["share"][:], np.float64)
            return dict(zip(_names(file, "bands"), share, strict=True))

    def n_rows(self) -> dict[str, int]:
        """Test stories and their rows."""
        with self._open() as file:
            return {story: len(file[f"predictions/{story}"]) for story in _names(file, "test")}

    def n_voxels(self) -> int:
        """Voxels."""
        with self._open() as file:
            return len(file["r"])

    def region_names(self) -> list[str] | None:
        """Name of the region that each voxel is, where the responses are a table of regions."""
        with self._open() as file:
            return read_regions(file)

    def predictions(
        self, voxels: slice = ALL, stories: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Predictions of test stories, of all if none are named, each (n_rows, n_voxels)."""
        with self._open() as file:
            wanted = _names(file, "test") if stories is None else stories
            return {story: file[f"predictions/{story}"][:, voxels] for story in wanted}

    def copied(self, story: str) -> np.ndarray | None:
        """What copied matches add to a prediction, (n_rows, n_voxels); None if no band copies."""
        with self._open() as file:
            return np.asarray(file[f"copied/{story}"][:]) if "copied" in file else None

    def weights(self, band: str, voxels: slice = ALL) -> np.ndarray:
        """Weights of a band's delayed columns, array of shape (n_columns, n_voxels)."""
        with self._open() as file:
            return np.asarray(file[f"weights_{band}"][:, voxels])

    def attributes(self) -> dict[str, Any]:
        """Attributes of the file."""
        with self._open() as file:
            return dict(file.attrs)


def _names(file: h5py.File, name: str) -> list[str]:
    return file[name].asstr()[:].tolist()


def _datasets(file: h5py.File) -> list[str]:
    """Names of all datasets, also of those in groups."""
    names: list[str] = []

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            names.append(name)

    file.visititems(note)
    return names


def _concatenate(chunks: Sequence[h5py.Dataset], file: h5py.File, name: str) -> None:
    """Write chunks of voxels side by side, reading one at a time."""
    n_voxels = sum(chunk.shape[-1] for chunk in chunks)
    joined = file.create_dataset(name, (*chunks[0].shape[:-1], n_voxels), np.float32)
    start = 0
    for chunk in chunks:
        stop = start + chunk.shape[-1]
        joined[..., start:stop] = chunk[:]
        start = stop


def at_edges(
    alpha: np.ndarray, r_train: np.ndarray, r_cv: np.ndarray, grid: Alphas
) -> dict[str, float]:
    """Fractions of the predicted voxels with an alpha at an edge of the grid; warn when many.

    At the smallest: any band. At the largest: all bands, as single ones may well be left out. A
    voxel counts as predicted if its out-of-fold r is two standard errors (over stories) above 0:
    the others take large alphas whatever the range.

    Parameters
    ----------
    alpha : array of shape (n_bands, n_voxels)
        Chosen penalties.
    r_train, r_cv : arrays of shape (n_train, n_voxels) and (n_voxels,)
        Out-of-fold r of the training stories, and its mean.
    grid : Alphas
        The grid of the search.

    Returns
    -------
    dict
        Attributes of a fit, `alpha_at_min` and `alpha_at_max`.
    """
    exponent = np.log10(alpha)
    predicted = r_cv > 2 * r_train.std(axis=0, ddof=1) / np.sqrt(len(r_train))
    at_edge = {
        "min": (exponent < grid.min + 1e-3).any(axis=0),
        "max": (exponent > grid.max - 1e-3).all(axis=0),
    }
    fractions = {}
    for edge, at in at_edge.items():
        fraction = float(at[predicted].mean()) if predicted.any() else 0.0
        fractions[f"alpha_at_{edge}"] = fraction
        if fraction > MANY and grid.n > 1:
            logging.warning(
                "%.0f %% of the predicted voxels take the edge alpha 10^%g: widen fit.alphas.%s",
                100 * fraction, getattr(grid, edge), edge,
            )  # fmt: skip
    return fractions
