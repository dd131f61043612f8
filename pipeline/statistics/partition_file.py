"""The HDF5 file of a variance partitioning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.partitions import Spaces, subsets
from pipeline.core.atomic import LayoutFile
from pipeline.statistics.options import TestOptions
from pipeline.statistics.permutation import Test
from pipeline.statistics.stats_file import VoxelTest, read_test, write_test


@dataclass(frozen=True)
class Partition:
    """What combinations of spaces explain.

    Parameters
    ----------
    parts : dict of combination to array of shape (n_voxels,)
        What a space, or spaces in common, explain that the others do not, as R2.
    total : array of shape (n_voxels,)
        R2 of all spaces together.
    tests : dict of space to VoxelTest
        Is the unique part of a space other than 0?
    """

    parts: dict[Spaces, np.ndarray]
    total: np.ndarray
    tests: dict[str, VoxelTest]


class PartitionFile(LayoutFile):
    """R2 of every combination of spaces, and its parts. Float32, (n_voxels,), but for the names.

    `r2/A+B`: R2 of the model of a combination, mean over test stories; `part/A` and `part/A&B`:
    what they explain and the other spaces do not; `test/A/p`, `q`, `p_fwer`: is `part/A` other
    than 0, attributes as in `StatsFile`; `spaces` (n_spaces,), names as bytes. Attributes:
    `layout`, `subject`, `partition`.
    """

    LAYOUT = "partition/1"

    @classmethod
    def write(
        cls,
        path: str | Path,
        spaces: Sequence[str],
        *,
        r2: Mapping[Spaces, np.ndarray],
        parts: Mapping[Spaces, np.ndarray],
        tests: Mapping[str, Test],
        options: TestOptions,
        attributes: Mapping[str, Any],
    ) -> None:
        """Write all of it.

        Parameters
        ----------
        path : path
            HDF5 to write.
        spaces : sequence of str
            All spaces.
        r2, parts : dict of combination to array of shape (n_voxels,)
            R2 of the models, and the parts.
        tests : dict of space to Test
            Tests of the unique parts.
        options : TestOptions
            `statistics` of the configuration, of which the tests were made.
        attributes : dict
            Written as attributes of the file.
        """
        with cls._create(path) as made:
            file = made._file
            for combination, values in r2.items():
                file[f"r2/{'+'.join(combination)}"] = values.astype(np.float32)
            for shared, values in parts.items():
                file[f"part/{'&'.join(shared)}"] = values.astype(np.float32)
            for space, test in tests.items():
                write_test(file.create_group(f"test/{space}"), test, options)
            file["spaces"] = np.array(spaces, dtype="S")
            file.attrs.update(attributes)

    def read(self) -> Partition:
        """Read the parts, the total and the tests, double."""
        with self._open() as file:
            spaces = file["spaces"].asstr()[:].tolist()
            return Partition(
                {s: np.asarray(file[f"part/{'&'.join(s)}"][:], float) for s in subsets(spaces)},
                np.asarray(file[f"r2/{'+'.join(spaces)}"][:], np.float64),
                {space: read_test(group) for space, group in file["test"].items()},
            )
