"""Predict the brain's responses to a new story by a model of a finished run.

python -m pipeline.predict results/demo --model gim --transcript NEW.TextGrid --out OUT.nii.gz
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

from gim.errors import InputError
from pipeline.core.atomic import atomic_path
from pipeline.core.errors import Problem, ProblemError
from pipeline.finished.prediction_file import PredictionFile
from pipeline.finished.run import Run
from pipeline.voxels.volume import NIFTI, to_volumes

HDF5 = (".h5", ".hf5", ".hdf5")


def main(arguments: list[str] | None = None) -> None:
    """Command line of `python -m pipeline.predict`."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _check_output(options.out)
        run = Run(options.run)
        mask = run.mask(options.subject) if options.out.name.endswith(NIFTI) else None
        predicted = run.predict(
            options.model,
            options.transcript,
            story=options.story,
            responses=options.responses,
            n_rows=options.rows,
            subject=options.subject,
        )
        if mask is None:
            facts = {"run": run.config["name"], "model": options.model}
            facts["transcript"] = options.transcript.name
            PredictionFile.write(options.out, predicted, facts)
        else:
            image = to_volumes(predicted, mask, run.config["timing"]["tr"])
            with atomic_path(options.out) as temporary:
                nib.save(image, temporary)
    except InputError as error:
        sys.exit(str(error))
    sd = float(np.nanmean(predicted.std(axis=0)))
    print(f"{options.out}: {len(predicted)} rows, {predicted.shape[1]} voxels, mean sd {sd:.3f}")


def _check_output(path: Path) -> None:
    """Raise ProblemError if a file is there, or its name says no format."""
    if path.exists():
        raise ProblemError(Problem(path, "", "there is such a file", "give another name"))
    if not path.name.endswith(NIFTI + HDF5):
        remedy = f"give a name that ends in {', '.join(NIFTI + HDF5)}"
        raise ProblemError(Problem(path, "", "its name says no format", remedy))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="folder of a finished run, results/NAME")
    add("--model", required=True, help="a model whose weights were kept (keep.models)")
    add("--transcript", type=Path, required=True, help="TextGrid, or a table of words")
    add("--out", type=Path, required=True, help="NIfTI; without a mask, HDF5")
    add("--responses", type=Path, help="responses to the story, for models that read past BOLD")
    add("--rows", type=int, help="rows (TRs) wanted; default, as many as the words last")
    add("--subject", help="whose responses; needed where the run has several")
    add("--story", help="name of the story; default, that of the transcript")
    return parser
