"""Readers of transcripts and of responses, chosen by the suffix of the file.

A transcript becomes a table of words with onsets and offsets, responses an array of shape
(rows, voxels): nothing after the readers knows which format either came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.core.errors import Findings, Problem, ProblemError
from pipeline.readers import hdf5
from pipeline.readers.hemispheres import other_hemisphere
from pipeline.readers.sidecar import check_tr, sidecar_of


class _Late:
    """A module of readers that is imported when one of its functions is called."""

    def __init__(self, name: str) -> None:
        self._name = f"pipeline.readers.{name}"

    def __getattr__(self, function: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            return getattr(import_module(self._name), function)(*args, **options)

        return call


if TYPE_CHECKING:
    import pandas as pd

    from pipeline.readers import cifti, gifti, nifti, table, textgrid, word_table
    from pipeline.voxels.vertices import Vertices
else:  # most jobs read none of these, and what the modules need is slow to import
    cifti, gifti, nifti, table, textgrid, word_table = map(
        _Late, ("cifti", "gifti", "nifti", "table", "textgrid", "word_table")
    )


class Values(Protocol):
    """Numbers of shape (rows, voxels) that are read when sliced, such as an HDF5 dataset."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, voxels)."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""

    def __getitem__(self, item: Any, /) -> np.ndarray:
        """Some of the numbers."""


@dataclass(frozen=True)
class TranscriptFormat:
    """How transcripts of one format are read, which options concern that, and whether it warns."""

    read: Callable[..., pd.DataFrame]
    options: tuple[str, ...]
    warns: bool = False


@dataclass(frozen=True)
class ResponseFormat:
    """How responses of one format are opened, how their shape is found, and options of both.

    Tables have names of regions, HDF5 may have them, files of the surface say where their columns
    lie, images may state a repetition time.
    """

    open: Callable[..., AbstractContextManager[Values]]
    shape: Callable[..., tuple[int, int]]
    options: tuple[str, ...] = ()
    names: Callable[..., list[str] | None] | None = None
    vertices: Callable[[str | Path], Vertices] | None = None
    tr: Callable[[str | Path], float | None] | None = None


_WORD_TABLE = TranscriptFormat(
    word_table.read_word_table, ("columns", "where", "encoding", "start", "markers", "untimed")
)
TRANSCRIPTS = {
    ".textgrid": TranscriptFormat(
        textgrid.read_textgrid, ("tier", "encoding", "start", "markers"), warns=True
    ),
    ".csv": _WORD_TABLE,
    ".tsv": _WORD_TABLE,
}
_HDF5 = ResponseFormat(hdf5.open_hdf5, hdf5.shape_of, names=hdf5.names_of)
_NIFTI = ResponseFormat(nifti.open_nifti, nifti.shape_of, ("mask", "tr"), tr=nifti.tr_of)
_TABLE = ResponseFormat(table.open_table, table.shape_of, ("columns",), table.names_of)
_CIFTI = ResponseFormat(
    cifti.open_cifti, cifti.shape_of, ("tr",), vertices=cifti.vertices_of, tr=cifti.tr_of
)
_GIFTI = ResponseFormat(
    gifti.open_gifti, gifti.shape_of, ("tr",), vertices=gifti.vertices_of, tr=gifti.tr_of
)
RESPONSES = {
    **dict.fromkeys((".hf5", ".h5", ".hdf5"), _HDF5),
    **dict.fromkeys((".nii", ".nii.gz"), _NIFTI),
    **dict.fromkeys((".csv", ".tsv"), _TABLE),
    ".dtseries.nii": _CIFTI,
    ".gii": _GIFTI,
}


def read_transcript(
    path: str | Path, options: Mapping[str, Any], findings: Findings | None = None
) -> pd.DataFrame:
    """Read the words of a transcript.

    Parameters
    ----------
    path : path
        A TextGrid, or a CSV or TSV table of words (BIDS events are one).
    options : mapping
        `transcripts` of the configuration; a format takes what concerns it.
    findings : Findings, optional
        Where warnings are noted.

    Returns
    -------
    DataFrame of n_words rows
        `word` (lower case), `onset` and `offset` (float64, seconds from the start of the sound),
        by ascending onset.

    Raises
    ------
    ProblemError
        If the suffix is unknown, or with all that is wrong with the file.
    """
    form = TRANSCRIPTS[_known(path, TRANSCRIPTS, "transcripts.path")]
    heard = {"findings": findings} if form.warns else {}
    return form.read(path, **_own(form, options), **heard)


def read_phones(path: str | Path, options: Mapping[str, Any]) -> pd.DataFrame | None:
    """Read the phones of a transcript; None of formats, and of files, that have none.

    Parameters
    ----------
    path, options
        As for `read_transcript`.

    Returns
    -------
    DataFrame or None
        As of `pipeline.readers.textgrid.phones_of_textgrid`.
    """
    if suffix(path, TRANSCRIPTS) != ".textgrid":
        return None
    own = _own(TRANSCRIPTS[".textgrid"], options)
    return textgrid.phones_of_textgrid(path, **{key: own[key] for key in own if key != "tier"})


def open_responses(path: str | Path, options: Mapping[str, Any]) -> AbstractContextManager[Values]:
    """Open the responses to one story for reading.

    Parameters
    ----------
    path : path
        HDF5, a NIfTI run, the left one of two GIFTI files, a CIFTI series, or a CSV or TSV table
        of regions.
    options : mapping
        `responses` of the configuration with `mask` (`pipeline.voxels.volume.Mask`, or None) and
        `tr` (seconds); a format takes what concerns it.

    Returns
    -------
    context manager of an array-like of shape (rows, voxels)
        It has `shape` and `dtype`, and slices give arrays.

    Raises
    ------
    ProblemError
        On entering, if the suffix is unknown or the file is not what it says.
    """
    form = RESPONSES[_known(path, RESPONSES, "responses.path")]
    return form.open(path, **_own(form, options))


def shape_of(path: str | Path, options: Mapping[str, Any]) -> tuple[int, int]:
    """Rows and voxels of a file of responses, without reading it where the format allows that.

    Parameters
    ----------
    path, options
        As for `open_responses`.

    Raises
    ------
    ProblemError
        If the suffix is unknown or the file is not what it says.
    """
    form = RESPONSES[_known(path, RESPONSES, "responses.path")]
    return form.shape(path, **_own(form, options))


def stated_tr(path: str | Path) -> float | None:
    """Repetition time that the header of responses, or else their sidecar, states, seconds.

    Raises
    ------
    ProblemError
        If the file cannot be read, or the two state different ones.
    """
    form = RESPONSES[_known(path, RESPONSES, "responses.path")]
    in_header = form.tr(path) if form.tr else None
    check_tr(path, in_header, None)
    return in_header or sidecar_of(path).tr


def needs_mask(path: str | Path) -> bool:
    """Whether responses are images, out of which a mask takes the voxels."""
    return RESPONSES.get(suffix(path, RESPONSES)) is _NIFTI


def region_names(path: str | Path, options: Mapping[str, Any]) -> list[str] | None:
    """Names of the regions that the columns are, in their order; None where these are voxels.

    Parameters
    ----------
    path, options
        As for `open_responses`.
    """
    form = RESPONSES.get(suffix(path, RESPONSES))
    return form.names(path, **_own(form, options)) if form and form.names else None


def has_regions(path: str | Path) -> bool:
    """Whether the columns of responses are regions; of HDF5 a file that is not there has none."""
    form = RESPONSES.get(suffix(path, RESPONSES))
    if form is not _HDF5:
        return form is not None and form.names is not None
    try:
        return Path(path).is_file() and hdf5.names_of(path) is not None
    except ProblemError:
        return False  # the validation tells


def files_of(path: str | Path) -> list[Path]:
    """The files that responses are in: of the surface's, both hemispheres."""
    is_pair = RESPONSES.get(suffix(path, RESPONSES)) is _GIFTI
    right = other_hemisphere(Path(path)) if is_pair else None
    return [Path(path), right] if right else [Path(path)]


def is_on_surface(path: str | Path) -> bool:
    """Whether responses are at vertices, or grayordinates."""
    form = RESPONSES.get(suffix(path, RESPONSES))
    return form is not None and form.vertices is not None


def vertices_of(path: str | Path) -> Vertices:
    """Where responses on the surface lie.

    Raises
    ------
    ProblemError
        If the file is not what its suffix says.
    """
    form = RESPONSES[_known(path, RESPONSES, "responses.path")]
    assert form.vertices is not None, "ask is_on_surface first"
    return form.vertices(path)


def is_hdf5(path: str | Path) -> bool:
    """Whether responses are in a file that can be read block by block as it is."""
    return RESPONSES.get(suffix(path, RESPONSES)) is _HDF5


def suffix(path: str | Path, known: Mapping[str, Any]) -> str:
    """The longest of the known suffixes that the file has, whatever its case; else empty."""
    name = Path(path).name.lower()
    return max((s for s in known if name.endswith(s)), key=len, default="")


def _own(form: TranscriptFormat | ResponseFormat, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that concern a format."""
    return {name: options[name] for name in form.options if name in options}


def _known(path: str | Path, known: Mapping[str, Any], key: str) -> str:
    found = suffix(path, known)
    if not found:
        what = f"no reader for {Path(path).name!r}"
        raise ProblemError(Problem(path, key, what, f"give a file that ends in {', '.join(known)}"))
    return found
