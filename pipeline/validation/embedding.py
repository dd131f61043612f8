"""Checks of the Eng1000 embedding, and of the text that ours is built from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.bands.registry import band_options, kind_of
from pipeline.config.models import needed_bands
from pipeline.core.errors import Findings, ProblemError, some
from pipeline.core.files import file_problem, hdf5_problem
from pipeline.core.hdf5 import open_h5
from pipeline.dataset.dataset import Dataset
from pipeline.embedding.spelling import spelt_otherwise
from pipeline.readers.hdf5 import numeric_dataset
from pipeline.validation.responses import as_single, blocks

N_BASIS_WORDS = 985
_FETCH = "fetch the file again, or build it from `eng1000.corpora`"


def needs(config: dict[str, Any], resource: str) -> bool:
    """Whether some band is computed from `resource` ("eng1000", "truth")."""
    kinds = {band_options(config, band).kind for band in needed_bands(config)}
    return any(resource in kind_of(kind).resources for kind in kinds)


def embedding_files(config: dict[str, Any]) -> list[Path]:
    """Files that the Eng1000 features need: the embedding, or what it is built from."""
    if not needs(config, "eng1000"):
        return []
    eng1000 = config["eng1000"]
    if not eng1000["corpora"]:
        return [Path(eng1000["path"] or Dataset.from_config(config).eng1000)]
    basis = [eng1000["basis_words"]] if eng1000["basis_words"] else []
    return [Path(path) for path in [*eng1000["corpora"], *basis]]


def check_embedding(files: Iterable[Path], is_built: bool) -> Findings:
    """Check the Eng1000 file, or the corpora and the basis words where it is built from these."""
    findings = Findings()
    for path in files:
        if problem := file_problem(path):
            findings.problems.append(problem)
        elif not is_built:
            check_eng1000(path, findings)
    return findings


def check_eng1000(path: Path, findings: Findings) -> None:
    """Check an Eng1000 HDF5: `data` (basis word, word) and `vocab`, a byte string for each word.

    Parameters
    ----------
    path : Path
        The file; it exists.
    findings : Findings
        Where problems and warnings are noted.
    """
    try:
        with open_h5(path) as file:
            data = numeric_dataset(file, "data", 2, findings)
            vocab = file.get("vocab")
            if not isinstance(vocab, h5py.Dataset) or h5py.check_string_dtype(vocab.dtype) is None:
                findings.problem(path, "vocab", "there is no dataset of byte strings", _FETCH)
            elif data is not None:
                _check_vocabulary(path, vocab, data.shape, findings)
            if data is not None:
                _check_data(path, data, findings)
    except ProblemError as error:
        findings.problems += error.problems
    except OSError as error:
        findings.problems.append(hdf5_problem(path, error))


def _check_vocabulary(
    path: Path, vocab: h5py.Dataset, shape: tuple[int, int], findings: Findings
) -> None:
    """Check that there is one word for each column of `data`, and each once."""
    if vocab.shape != (shape[1],):
        what = f"the shape is {vocab.shape}, but `data` is {shape}: it should be ({shape[1]},)"
        findings.problem(path, "vocab", what, _FETCH)
        return
    words, counts = np.unique(vocab[()].astype(bytes), return_counts=True)
    if undecodable := [word for word in words.tolist() if not _is_utf8(word)]:
        what = f"{len(undecodable)} words are not UTF-8, no story will find them"
        findings.warn(path, f"vocab, {some(undecodable)}", what, "write the words as UTF-8")
    if misspelt := spelt_otherwise([word.decode("utf-8", "replace") for word in words.tolist()]):
        findings.problem(path, "vocab", misspelt, "write the words alone, as the stories have them")
    if len(words) < len(vocab):
        repeated = some(word.decode("utf-8", "replace") for word in words[counts > 1])
        findings.warn(path, "vocab", f"words listed twice: {repeated}", "the first one is used")


def _check_data(path: Path, data: h5py.Dataset, findings: Findings) -> None:
    n_bad, is_zero = 0, True
    for _, _, values in blocks(data):
        n_bad += int((~np.isfinite(as_single(values))).sum())
        is_zero = is_zero and not values.any()
    if n_bad:
        findings.problem(path, "data", f"{n_bad} values are NaN or infinite", _FETCH)
    if is_zero:
        findings.problem(path, "data", "all values are zero", _FETCH)
    if len(data) != N_BASIS_WORDS:
        what = f"{len(data)} basis words, the published Eng1000 has {N_BASIS_WORDS}"
        findings.warn(path, "data", what, "nothing, if the embedding is meant to be another")


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True
