"""Turn vectors of voxels into volumes, and back, from the command line.

python -m pipeline.voxels --mask MASK.nii.gz --order xyz IN.npy OUT.nii.gz
python -m pipeline.voxels --mask MASK.nii.gz --order xyz IN.nii.gz OUT.tsv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nibabel as nib

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import Problem, ProblemError
from pipeline.voxels.vectors import read_vector, write_vector
from pipeline.voxels.volume import NIFTI, ORDERS, Mask, read_image, to_vector, to_volume


def convert(source: Path, target: Path, mask: Mask, column: str | None = None) -> None:
    """Turn a vector file (.npy, .tsv) into a NIfTI file, or a NIfTI file into a vector file.

    Raises
    ------
    ProblemError
        Neither or both files are NIfTI, or one does not fit the mask.
    """
    nifti = [path.name.endswith(NIFTI) for path in (source, target)]
    vector = [path.suffix in (".npy", ".tsv") for path in (source, target)]
    if nifti == [False, True] and vector[0]:
        with atomic_path(target) as temporary:
            nib.save(to_volume(read_vector(source, column), mask), temporary)
    elif nifti == [True, False] and vector[1]:
        write_vector(to_vector(read_image(source), mask), target, column)
    else:
        what = f"cannot turn {source.name} into {target.name}"
        remedy = "name one file .npy or .tsv and the other .nii or .nii.gz"
        raise ProblemError(Problem(source, "", what, remedy))


def main(arguments: list[str] | None = None) -> None:
    """Command line of `python -m pipeline.voxels`."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.voxels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help=".npy, .tsv or NIfTI")
    parser.add_argument("target", type=Path, help="NIfTI, or .npy or .tsv")
    parser.add_argument("--mask", type=Path, required=True, help="NIfTI, 0 outside, 1 inside")
    parser.add_argument(
        "--order",
        choices=ORDERS,
        required=True,
        help="xyz: z runs fastest (nilearn); zyx: x runs fastest (pycortex)",
    )
    parser.add_argument("--threshold", type=float, help="voxels of the mask above it are inside")
    parser.add_argument("--column", help="column of the .tsv")
    options = parser.parse_args(arguments)
    try:
        mask = Mask.from_file(options.mask, options.order, threshold=options.threshold)
        convert(options.source, options.target, mask, options.column)
    except ProblemError as error:
        sys.exit(str(error))
