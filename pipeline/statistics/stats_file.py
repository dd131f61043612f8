"""The HDF5 file of a model's statistics: significance, and r over the noise ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.core.atomic import LayoutFile
from pipeline.statistics.ceiling import ENDS, Estimate
from pipeline.statistics.options import TestOptions
from pipeline.statistics.permutation import Test, smallest_p


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

    def count_fdr(self) -> int | None:
        """Voxels with q below alpha; None where no p could be, however large the effect."""
        alpha, n_null = self.attributes["alpha"], int(self.attributes["n_null"])
        can_be = smallest_p(n_null, self.attributes["tail"]) < alpha
        return int((self.q < alpha).sum()) if can_be else None

    def count_fwer(self) -> int | None:
        """Voxels with p_fwer, which is counted, below alpha; None where it cannot be."""
        alpha = self.attributes["alpha"]
        can_be = self.attributes["p_floor"] < alpha
        return int((self.p_fwer < alpha).sum()) if can_be else None


class StatsFile(LayoutFile):
    """Tests of one model of one subject. All datasets are (n_voxels,), float32.

    `p`, `q`, `p_fwer` of r above 0; the same in the groups `contrast/REF` (is r other than the
    model REF's; also `delta`, the difference) and `matches/BAND` (do the band's matches matter);
    `r_ceiling`, `r_ceiling_lo`, `r_ceiling_hi`, r over the noise ceiling with its interval.
    Attributes of the file and of each group: `n_null`, `p_floor`, `p_mean`, `alpha`, `tail`; of the
    file also `layout`, `subject`, `model`, `uses_bold`, `scheme`, and `r_ceiling_mean`,
    `r_ceiling_mean_lo`, `r_ceiling_mean_hi`, over voxels.
    """

    LAYOUT = "stats/1"

    @classmethod
    @contextmanager
    def create(cls, path: str | Path, attributes: Mapping[str, Any]) -> Iterator[StatsFile]:
        """Make a file with attributes, to which the tests come."""
        with cls._create(path) as made:
            made._file.attrs.update(attributes)
            yield made

    def write_r(self, test: Test, options: TestOptions) -> None:
        """Write whether r is above 0."""
        write_test(self._file, test, options)

    def write_contrast(
        self, reference: str, delta: np.ndarray, test: Test, options: TestOptions
    ) -> None:
        """Write whether r is other than that of another model, and by how much, (n_voxels,)."""
        group = self._file.create_group(f"contrast/{reference}")
        group["delta"] = delta
        write_test(group, test, options)

    def write_matches(self, band: str, test: Test, options: TestOptions) -> None:
        """Write whether the matches of a band matter."""
        write_test(self._file.create_group(f"matches/{band}"), test, options)

    def write_r_ceiling(self, by_voxel: Estimate, mean: Estimate) -> None:
        """Write r / CCmax of each voxel, and the mean over voxels, arrays of shape (1,)."""
        for end, values, overall in zip(ENDS, by_voxel, mean, strict=True):
            self._file[f"r_ceiling{end}"] = values.astype(np.float32)
            self._file.attrs[f"r_ceiling_mean{end}"] = overall[0]

    def tests(self) -> dict[str, VoxelTest]:
        """All tests: `r`, `contrast/REF` and, for matchers, `matches/BAND`."""
        with self._open() as file:
            groups = {"r": file}
            for kind in ("contrast", "matches"):
                groups |= {f"{kind}/{name}": group for name, group in file.get(kind, {}).items()}
            return {name: read_test(group) for name, group in groups.items()}

    def test(self, name: str = "r") -> VoxelTest | None:
        """One test; None where there is no such file or test."""
        return self.tests().get(name) if self.path.is_file() else None

    def r_ceiling_mean(self) -> tuple[float, float, float]:
        """Mean over voxels of r over the ceiling, and the ends of its interval."""
        with self._open() as file:
            value, lo, hi = (float(file.attrs[f"r_ceiling_mean{end}"]) for end in ENDS)
        return value, lo, hi

    def uses_bold(self) -> bool:
        """Whether the model has bands made from BOLD."""
        with self._open() as file:
            return bool(file.attrs["uses_bold"])


def write_test(group: h5py.Group, test: Test, options: TestOptions) -> None:
    """Write p, q and p_fwer, and as attributes how they were made."""
    for name in ("p", "q", "p_fwer"):
        group[name] = getattr(test, name).astype(np.float32)
    group.attrs.update({"p_mean": test.p_mean, "n_null": test.n_null, "p_floor": test.p_floor})
    group.attrs.update({"alpha": options.alpha, "tail": options.tail})


def read_test(group: h5py.Group) -> VoxelTest:
    """What `write_test` wrote."""
    p, q, p_fwer = (np.asarray(group[name][:], np.float64) for name in ("p", "q", "p_fwer"))
    delta = np.asarray(group["delta"][:], np.float64) if "delta" in group else None
    return VoxelTest(p, q, p_fwer, delta, dict(group.attrs))
