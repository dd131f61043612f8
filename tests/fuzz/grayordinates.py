"""Damaged runs on the surface: GIFTI pairs and CIFTI series."""

import gzip

import nibabel as nib
import numpy as np
from nibabel.cifti2 import ParcelsAxis, ScalarAxis, SeriesAxis

from tests.fuzz.registry import CHECKED, common, cut, damage, edit
from tests.fuzz.runs_tree import CIFTI, GIFTI, RIGHT
from tests.helpers.fmriprep import TR, brain_models

for _specimen in (GIFTI, RIGHT, CIFTI):
    common(_specimen, **CHECKED)
    _kind = "no CIFTI" if _specimen is CIFTI else "no GIFTI series"

    @damage(_specimen, refused=_kind)
    def cut_short(path):
        """The end of the file is missing."""
        cut(path)

    @damage(_specimen, refused=_kind)
    def text(path):
        """A web page that a download saved instead."""
        path.write_text("<!DOCTYPE html><title>404 Not Found</title>" + "x" * 5000)

    @damage(_specimen, refused=_kind)
    def zeros(path):
        """The disk was full: all bytes are zero."""
        path.write_bytes(bytes(path.stat().st_size))

    @damage(_specimen, refused=_kind)
    def compressed(path):
        """The file is compressed under a name that says it is not."""
        path.write_bytes(gzip.compress(path.read_bytes()))


def _gifti(path, change, meta=None, **options):
    """Write a file anew: its arrays changed."""
    values = np.stack([array.data for array in nib.load(path).darrays])
    arrays = [
        nib.gifti.GiftiDataArray(v, "NIFTI_INTENT_TIME_SERIES", **options) for v in change(values)
    ]
    image = nib.GiftiImage(darrays=arrays, meta=nib.gifti.GiftiMetaData(meta or {}))
    path.unlink()
    nib.save(image, path)


for _specimen in (GIFTI, RIGHT):

    @damage(_specimen, refused="volumes, but", names="hemi-R")
    def volume_lost(path):
        """A volume is missing in this hemisphere."""
        _gifti(path, lambda values: values[:-1])

    @damage(_specimen, refused="no GIFTI series")
    def vertex_lost(path):
        """One volume has a vertex fewer than the others."""
        _gifti(path, lambda values: [*values[:-1], values[-1][:-1]])

    @damage(_specimen, refused="no GIFTI series")
    def no_arrays(path):
        """There is no array in the file."""
        _gifti(path, lambda values: [])

    @damage(_specimen, refused="no GIFTI series")
    def mesh(path):
        """A mesh under the name of a series."""
        arrays = [
            nib.gifti.GiftiDataArray(np.zeros((12, 3), np.float32), "NIFTI_INTENT_POINTSET"),
            nib.gifti.GiftiDataArray(np.zeros((20, 3), np.int32), "NIFTI_INTENT_TRIANGLE"),
        ]
        path.unlink()
        nib.save(nib.GiftiImage(darrays=arrays), path)

    @damage(_specimen, refused="the header's repetition time is 1.5 s")
    def other_time_step(path):
        """The metadata state another repetition time."""
        _gifti(path, lambda values: values, {"TimeStep": "1500"})

    @damage(_specimen)
    def unreadable_time_step(path):
        """The repetition time in the metadata is no number."""
        _gifti(path, lambda values: values, {"TimeStep": "soon"})

    @damage(_specimen)
    def one_array(path):
        """All volumes are in one array, as FreeSurfer writes them."""
        _gifti(path, lambda values: [np.ascontiguousarray(values.T)])

    @damage(_specimen)
    def text_numbers(path):
        """The numbers are written as text (ASCII)."""
        _gifti(path, lambda values: values, encoding="GIFTI_ENCODING_ASCII")

    @damage(_specimen, refused="no GIFTI series")
    def values_overwritten(path):
        """The values of an array are lost."""
        head, _, rest = path.read_text().partition("<Data>")
        path.write_text(f"{head}<Data>####{rest[4:]}")

    @damage(_specimen, refused="no GIFTI series")
    def enormous_size(path):
        """An array announces a hundred billion vertices."""
        edit(path, 'Dim0="12"', 'Dim0="100000000000"')

    @damage(_specimen, refused="no GIFTI series")
    def dimensions_more(path):
        """An array announces a dimension more than it names."""
        edit(path, 'Dimensionality="1"', 'Dimensionality="2"')

    @damage(_specimen, refused="no GIFTI series")
    def size_in_words(path):
        """The size of an array is no number."""
        edit(path, 'Dim0="12"', 'Dim0="twelve"')

    @damage(_specimen, refused="no GIFTI series")
    def unknown_type(path):
        """The values are of a type that there is not."""
        edit(path, "NIFTI_TYPE_FLOAT32", "NIFTI_TYPE_FLOAT33")

    @damage(_specimen, refused="lie in another file")
    def external(path):
        """The values lie in another file."""
        edit(path, "GZipBase64Binary", "ExternalFileBinary", -1)

    @damage(_specimen, refused="no GIFTI series")
    def entities(path):
        """The text grows a billionfold when it is read (entities of entities)."""
        names = "".join(
            f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "x" * 10}">' for i in range(12)
        )
        text = path.read_text()
        at = text.index("<GIFTI")
        body = text[at:].replace("<Data>", "<Data>&e11;", 1)
        path.write_text(f'<?xml version="1.0"?><!DOCTYPE GIFTI [{names}]>{body}')

    @damage(_specimen, refused="NaN or infinite", names="hemi-L")
    def not_a_number(path):
        """A value is NaN."""
        _gifti(path, lambda values: np.where(np.arange(12) == values.argmin() % 12, np.nan, values))

    @damage(_specimen, refused="both hemispheres are of the same values")
    def the_other_side(path):
        """The content is that of the other hemisphere."""
        side, other = ("hemi-L", "hemi-R")[:: 1 if "hemi-L" in path.name else -1]
        path.write_bytes(path.with_name(path.name.replace(side, other)).read_bytes())

    @damage(_specimen, refused="says that it is of the other hemisphere")
    def another_side_in_the_metadata(path):
        """The metadata name the other hemisphere."""
        other = "CortexRight" if "hemi-L" in path.name else "CortexLeft"
        _gifti(path, lambda values: values, {"AnatomicalStructurePrimary": other})


def _cifti(path, change=lambda values: values, axes=None, **series):
    """Write a series anew: its values, or its axes, changed."""
    values = np.asarray(nib.load(path, mmap=False).dataobj)
    new = change(values)
    axes = axes or (SeriesAxis(0, series.pop("step", TR), len(new), **series), brain_models())
    path.unlink()
    nib.save(nib.Cifti2Image(new, axes), path)


def _header(path, at, raw):
    """Put bytes into the file."""
    found = path.read_bytes()
    path.write_bytes(found[:at] + raw + found[at + len(raw) :])


@damage(CIFTI, refused="no CIFTI")
def values_cut(path):
    """The last values are missing."""
    path.write_bytes(path.read_bytes()[:-50])


@damage(CIFTI, refused="no dense series, but ScalarAxis by BrainModelAxis")
def scalars(path):
    """Maps (dscalar) under the name of a series."""
    names = ScalarAxis([f"map {i}" for i in range(64)])
    _cifti(path, axes=(names, brain_models()))


@damage(CIFTI, refused="no dense series, but SeriesAxis by ParcelsAxis")
def parcels(path):
    """Parcels (ptseries) under the name of a dense series."""
    parcel = ParcelsAxis.from_brain_models([("all", brain_models())])
    _cifti(path, lambda v: v[:, :1], (SeriesAxis(0, TR, 64), parcel))


@damage(CIFTI, refused="no dense series, but BrainModelAxis by SeriesAxis")
def turned(path):
    """Grayordinates by volumes."""
    _cifti(path, lambda v: v.T, (brain_models(), SeriesAxis(0, TR, 64)))


@damage(CIFTI, refused="no CIFTI")
def volume(path):
    """A NIfTI-2 volume under the name of a series."""
    path.unlink()
    nib.save(nib.Nifti2Image(np.zeros((2, 2, 2, 64), np.float32), np.eye(4)), path)


@damage(CIFTI, refused="no CIFTI")
def description_lost(path):
    """The XML that says what the axes are is overwritten."""
    raw = path.read_bytes()
    at = raw.index(b"<CIFTI")
    _header(path, at, b"x" * 200)


@damage(CIFTI, refused="no CIFTI")
def unknown_structure(path):
    """A brain model is of a structure that there is not."""
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"CIFTI_STRUCTURE_CORTEX_LEFT", b"CIFTI_STRUCTURE_CORTEX_LEFU", 1))


@damage(CIFTI, refused="has vertices twice, or beyond the 12 of its mesh")
def vertex_twice(path):
    """A brain model names a vertex twice."""
    raw = path.read_bytes()
    _header(path, raw.index(b"<VertexIndices>0 ") + len(b"<VertexIndices>"), b"9")


@damage(CIFTI, refused="has vertices twice, or beyond the 8 of its mesh")
def more_vertices_than_the_cortex(path):
    """Brain models name vertices that their cortex does not have."""
    path.write_bytes(path.read_bytes().replace(b'NumberOfVertices="12"', b'NumberOfVertices="8" '))


@damage(CIFTI, refused="no CIFTI")
def other_count(path):
    """The header has other numbers of volumes and grayordinates than the XML."""
    _header(path, 16 + 8 * 5, (32).to_bytes(8, "little"))


@damage(CIFTI, refused="no CIFTI")
def enormous(path):
    """The header claims a billion volumes."""
    _header(path, 16 + 8 * 5, (10**9).to_bytes(8, "little"))


@damage(CIFTI, refused="no CIFTI")
def negative(path):
    """The header claims -5 volumes."""
    _header(path, 16 + 8 * 5, (-5).to_bytes(8, "little", signed=True))


@damage(CIFTI, refused="the header's repetition time is 1.5 s")
def other_step(path):
    """The series states another repetition time."""
    _cifti(path, step=1.5)


@damage(CIFTI)
def step_of_no_unit(path):
    """The series is in Hertz, which states no repetition time."""
    _cifti(path, step=1.5, unit="HERTZ")


@damage(CIFTI)
def step_zero(path):
    """The series' step is 0, which states no repetition time."""
    _cifti(path, step=0.0)


@damage(CIFTI)
def double_precision(path):
    """Values are stored in double precision."""
    _cifti(path, lambda values: values.astype(np.float64))


@damage(CIFTI, refused="NaN or infinite")
def grayordinate_not_a_number(path):
    """A value is NaN."""
    _cifti(path, lambda values: np.where(values == values.max(), np.nan, values))


@damage(CIFTI, refused="rows, but")
def volume_of_grayordinates_lost(path):
    """A volume is missing."""
    _cifti(path, lambda values: values[:-1])
