"""Noise ceiling and significance of a fit: what is written, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import atomic_h5
from pipeline.dataset.dataset import Dataset
from pipeline.statistics.ceiling import (
    Estimate,
    ceiling,
    combine,
    explainable_variance,
    jackknife,
    r_over_ceiling,
)
from pipeline.statistics.match_permutation import Matcher
from pipeline.statistics.permutation import Test
from pipeline.statistics.tests import Predictions, test_difference, test_matches, test_r

ENDS = ("", "_lo", "_hi")  # of the names of an estimate's value and interval
BLOCK_BYTES = 64 * 2**20  # of the repeats of one block of voxels
NO_REPEATS = "no test story was presented several times (individual_repeats)"
NO_VOXEL = "the repeats have nothing in common (the interval of EV holds 0 in every voxel)"


def repeated(dataset: Dataset, subject: str, stories: Sequence[str]) -> dict[str, int]:
    """Stories that were presented several times, and how often."""
    one = {story: dataset.read_repeats(subject, story, slice(0, 1)) for story in stories}
    return {story: len(repeats) for story, repeats in one.items() if repeats is not None}


def _read_repeats(
    dataset: Dataset, subject: str, story: str, n_voxels: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of voxels with the presentations of a story, (n_repeats, n_rows, n_block)."""
    one = dataset.read_repeats(subject, story, slice(0, 1))
    assert one is not None, "only repeated stories are asked for"
    size = max(BLOCK_BYTES // (8 * one.size), 1)
    for start in range(0, n_voxels, size):
        voxels = slice(start, min(start + size, n_voxels))
        repeats = dataset.read_repeats(subject, story, voxels)
        assert repeats is not None
        yield voxels, repeats


def write_ceiling(
    dataset: Dataset, subject: str, test: Sequence[str], attributes: Mapping[str, Any], output: Path
) -> None:
    """Write the noise ceiling of a subject's repeated test stories.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    test : sequence of str
        Test stories.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write: `ev`, `ev_lo`, `ev_hi`, `ceiling` (story, voxel); `stories`; the attributes
        `n_repeats` (story) and `reason` (why there is none, or empty).
    """
    n_repeats = repeated(dataset, subject, test)
    n_voxels = dataset.n_voxels(subject, test[0])
    with atomic_h5(output) as file:
        shape = (len(n_repeats), n_voxels)
        for name in ("ev", "ev_lo", "ev_hi", "ceiling"):
            file.create_dataset(name, shape, np.float32)
        for i, (story, n) in enumerate(n_repeats.items()):
            for voxels, repeats in _read_repeats(dataset, subject, story, n_voxels):
                ev = explainable_variance(repeats)
                for end, values in zip(ENDS, ev, strict=True):
                    file[f"ev{end}"][i, voxels] = values
                file["ceiling"][i, voxels] = ceiling(ev, n)
        file["stories"] = np.array(list(n_repeats), dtype="S")
        found = bool(np.isfinite(file["ceiling"][:]).any())
        file.attrs.update(attributes)
        file.attrs["n_repeats"] = list(n_repeats.values())
        file.attrs["reason"] = "" if found else NO_VOXEL if n_repeats else NO_REPEATS


def write_statistics(
    dataset: Dataset,
    subject: str,
    fit: str | Path,
    references: Mapping[str, str | Path],
    options: Mapping[str, Any],
    seed: int,
    attributes: Mapping[str, Any],
    output: str | Path,
    matchers: Iterable[Matcher] = (),
) -> None:
    """Write a model's significance and its r over the noise ceiling.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    fit : path
        HDF5 of the model's fit.
    references : dict of model to path
        Fits of the models that it is compared with.
    options : dict
        `statistics` of the configuration.
    seed : int
        Seed of the permutations.
    attributes : dict
        Written as attributes of the file.
    output : path
        HDF5 to write (docs/outputs.md).
    matchers : iterable of Matcher
        Bands of the model whose matches are permuted.
    """
    ours = Predictions(fit)
    with atomic_h5(output) as file:
        file.attrs.update(attributes)
        write_test(file, test_r(dataset, subject, ours, options, seed), options)
        for name, path in references.items():
            theirs = Predictions(path)
            test = test_difference(dataset, subject, ours, theirs, options, seed)
            group = file.create_group(f"contrast/{name}")
            group["delta"] = ours.r - theirs.r
            write_test(group, test, options)
        for matcher in matchers:
            test = test_matches(dataset, subject, ours, matcher, options, seed)
            write_test(file.create_group(f"matches/{matcher.band.name}"), test, options)
        _write_r_ceiling(file, dataset, subject, ours)


def write_test(group: h5py.Group, test: Test, options: Mapping[str, Any]) -> None:
    """Write p, q and p_fwer, and as attributes how they were made."""
    for name in ("p", "q", "p_fwer"):
        group[name] = getattr(test, name).astype(np.float32)
    group.attrs.update({"p_mean": test.p_mean, "n_null": test.n_null, "p_floor": test.p_floor})
    group.attrs.update({key: options[key] for key in ("alpha", "tail")})


def _write_r_ceiling(file: h5py.File, dataset: Dataset, subject: str, fit: Predictions) -> None:
    """Write r / CCmax per voxel, mean over repeated stories, and the mean over voxels."""
    stories = list(repeated(dataset, subject, list(fit.n_rows)))
    nothing = (_unknown(fit.n_voxels), _unknown(1))
    found = [_r_ceiling(dataset, subject, story, fit) for story in stories] or [nothing]
    by_voxel, mean = (combine(estimates) for estimates in zip(*found, strict=True))
    for name, values, overall in zip(ENDS, by_voxel, mean, strict=True):
        file[f"r_ceiling{name}"] = values.astype(np.float32)
        file.attrs[f"r_ceiling_mean{name}"] = overall[0]


def _unknown(n: int) -> Estimate:
    return Estimate(*np.full((3, n), np.nan))


def _r_ceiling(
    dataset: Dataset, subject: str, story: str, fit: Predictions
) -> tuple[Estimate, Estimate]:
    """R / CCmax of a story: of each voxel, and the mean over those that have a ceiling."""
    columns = np.full((3, fit.n_voxels), np.nan)
    total: np.ndarray | float = 0.0
    n = 0
    for voxels, repeats in _read_repeats(dataset, subject, story, fit.n_voxels):
        measured = dataset.read_responses(subject, story, voxels)
        replicates = r_over_ceiling(fit.read(voxels)[story], measured, repeats)
        columns[:, voxels] = jackknife(replicates)
        known = np.isfinite(replicates).all(axis=0)
        total = total + replicates[:, known].sum(axis=1)
        n += int(known.sum())
    mean = jackknife(np.asarray(total)[:, None] / n) if n else _unknown(1)
    return Estimate(*columns), mean


@dataclass(frozen=True)
class VoxelTest:
    """A permutation test as it was written.

    Parameters
    ----------
    p, q, p_fwer : arrays of shape (n_voxels,)
        Permutation p, Benjamini-Hochberg q, max-statistic p; NaN where the response does not vary.
    delta : array of shape (n_voxels,) or None
        Of a contrast: r of the model minus r of the other one.
    attributes : dict
        `n_null`, `p_floor`, `p_mean`, `alpha`, `tail`.
    """

    p: np.ndarray
    q: np.ndarray
    p_fwer: np.ndarray
    delta: np.ndarray | None
    attributes: dict[str, Any]


def read_tests(path: str | Path) -> dict[str, VoxelTest]:
    """All tests of a `_stats.h5`: `r`, `contrast/REF` and, for matchers, `matches/BAND`."""
    with h5py.File(path) as file:
        groups = {"r": file}
        for kind in ("contrast", "matches"):
            groups |= {f"{kind}/{name}": group for name, group in file.get(kind, {}).items()}
        return {name: _read_test(group) for name, group in groups.items()}


def _read_test(group: h5py.Group) -> VoxelTest:
    p, q, p_fwer = (np.asarray(group[name][:], np.float64) for name in ("p", "q", "p_fwer"))
    delta = np.asarray(group["delta"][:], np.float64) if "delta" in group else None
    return VoxelTest(p, q, p_fwer, delta, dict(group.attrs))


def read_test(path: str | Path, test: str = "r") -> VoxelTest | None:
    """One test of a `_stats.h5`; None where there is no such file or test."""
    return read_tests(path).get(test) if Path(path).is_file() else None


@dataclass(frozen=True)
class Ceiling:
    """Noise ceiling of a subject's repeated test stories.

    Parameters
    ----------
    stories : list of str
        Test stories that were presented several times.
    n_repeats : list of int
        How often each.
    ev, ev_lo, ev_hi, ceiling : arrays of shape (n_stories, n_voxels)
        Explainable variance with its interval, and CCmax of the mean (NaN: none is known).
    reason : str
        Why there is no ceiling; empty if there is one.
    """

    stories: list[str]
    n_repeats: list[int]
    ev: np.ndarray
    ev_lo: np.ndarray
    ev_hi: np.ndarray
    ceiling: np.ndarray
    reason: str


def read_ceiling(path: str | Path) -> Ceiling | None:
    """A subject's `_ceiling.h5`; None where there is no such file."""
    if not Path(path).is_file():
        return None
    with h5py.File(path) as file:
        names = ("ev", "ev_lo", "ev_hi", "ceiling")
        ev, lo, hi, known = (np.asarray(file[name][:], np.float64) for name in names)
        stories = file["stories"].asstr()[:].tolist() if len(file["stories"]) else []
        n_repeats, reason = file.attrs["n_repeats"].tolist(), str(file.attrs["reason"])
    return Ceiling(stories, n_repeats, ev, lo, hi, known, reason)
