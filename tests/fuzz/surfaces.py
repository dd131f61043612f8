"""Damaged FreeSurfer annotations and surfaces."""

import struct

import nibabel
import numpy as np

from tests.fuzz.formats import ANNOTATION, WHITE
from tests.fuzz.registry import CHECKED, common, cut, damage

common(ANNOTATION, **CHECKED)
common(WHITE, **CHECKED)

for _specimen, _kind in ((ANNOTATION, "not an annotation"), (WHITE, "not a surface")):

    @damage(_specimen, refused=_kind)
    def cut_short(path):
        """The end of the file is missing."""
        cut(path)

    @damage(_specimen, refused=_kind)
    def text(path):
        """A web page that a download saved instead."""
        path.write_text("<!DOCTYPE html><title>404 Not Found</title>" + "x" * 5000)


def _annotation(path, change, colours=None, names=None):
    """Write an annotation anew: the index of each vertex's region changed."""
    indices, table, old = nibabel.freesurfer.read_annot(str(path))
    nibabel.freesurfer.write_annot(
        str(path),
        change(indices),
        table if colours is None else colours,
        old if names is None else names,
        fill_ctab=True,
    )


def _integers(path, change):
    """Change the big-endian integers that an annotation begins with."""
    raw = path.read_bytes()
    n = struct.unpack(">i", raw[:4])[0]
    values = np.frombuffer(raw[: 4 + 8 * n], ">i4").copy()
    change(values)
    path.write_bytes(values.tobytes() + raw[4 + 8 * n :])


@damage(ANNOTATION, refused="vertices, the surface")
def vertex_lost(path):
    """A vertex is missing."""
    _annotation(path, lambda indices: indices[:-1])


@damage(ANNOTATION, refused="vertices, the surface")
def annotation_of_the_other_side(path):
    """The content is the right hemisphere's, which has other vertices."""
    path.write_bytes(path.with_name("rh.aparc.annot").read_bytes())


@damage(ANNOTATION, refused="not an annotation")
def vertex_count_enormous(path):
    """The file announces two billion vertices."""
    path.write_bytes(struct.pack(">i", 2**31 - 1) + path.read_bytes()[4:])


@damage(ANNOTATION, refused="not an annotation")
def colours_enormous(path):
    """The colour table announces a hundred million colours."""
    raw = path.read_bytes()
    at = 4 + 8 * struct.unpack(">i", raw[:4])[0] + 8  # after the vertices, and what the table is
    path.write_bytes(raw[:at] + struct.pack(">i", 10**8) + raw[at + 4 :])


@damage(ANNOTATION, refused="not an annotation")
def vertex_count_negative(path):
    """The file announces -5 vertices."""
    path.write_bytes(struct.pack(">i", -5) + path.read_bytes()[4:])


@damage(ANNOTATION, refused="not in its colour table")
def colour_unknown(path):
    """Vertices have a colour that is not in the colour table."""

    def change(values):
        values[10:30:2] = 10 + 20 * 256 + 29 * 65536

    _integers(path, change)


@damage(ANNOTATION, refused="vertices out of order")
def vertices_out_of_order(path):
    """The vertices are listed in another order."""

    def change(values):
        values[1:11:2] = values[1:11:2][::-1].copy()

    _integers(path, change)


@damage(ANNOTATION, refused="one colour")
def colours_alike(path):
    """Two regions have the same colour."""
    table = np.array([[25, 5, 25, 0, 0], [10, 20, 30, 0, 0], [10, 20, 30, 0, 0]])
    _annotation(path, np.asarray, colours=table)


@damage(ANNOTATION, refused="not an annotation")
def names_undecodable(path):
    """The name of a region is no UTF-8."""
    path.write_bytes(path.read_bytes().replace(b"front", b"fr\xffnt"))


@damage(ANNOTATION, refused="not an annotation")
def colours_lost(path):
    """There is no colour table."""
    n = struct.unpack(">i", path.read_bytes()[:4])[0]
    path.write_bytes(path.read_bytes()[: 4 + 8 * n] + struct.pack(">i", 0))


@damage(ANNOTATION)
def gap_in_the_colours(path):
    """The colour table leaves a number out, as a cut-down one does."""
    raw = path.read_bytes()
    entry = struct.pack(">ii", 2, len(b"back") + 1) + b"back\0"
    start = raw.index(entry)
    entry = struct.pack(">ii", 5, len(b"back") + 1) + b"back\0"
    raw = raw[:start] + entry + raw[start + len(entry) :]
    n = struct.unpack(">i", raw[:4])[0]
    size = 4 + 8 * n + 8  # of vertices, flag of a table, version; the table's size follows
    path.write_bytes(raw[:size] + struct.pack(">i", 6) + raw[size + 4 :])


@damage(ANNOTATION, refused="none of its regions holds a voxel")
def nothing_named(path):
    """Every vertex is of the region 'unknown', and so are those of the right side."""
    for file in (path, path.with_name("rh.aparc.annot")):
        content = file.resolve().read_bytes()
        file.unlink()
        file.write_bytes(content)
        _annotation(file, np.zeros_like)


def _geometry(path, change=np.asarray, **about):
    vertices, faces, info = nibabel.freesurfer.read_geometry(str(path), read_metadata=True)
    nibabel.freesurfer.write_geometry(
        str(path), change(vertices), faces, volume_info=dict(info) | about
    )


@damage(WHITE, refused="vertices, the surface", names="lh.aparc.annot")
def surfaces_of_the_other_side(path):
    """White and pial surface are the right hemisphere's, which have other vertices."""
    for name in ("white", "pial"):
        path.with_name(f"lh.{name}").unlink()
        path.with_name(f"lh.{name}").write_bytes(path.with_name(f"rh.{name}").read_bytes())


@damage(WHITE, refused="other vertices than")
def white_of_the_other_side(path):
    """The white surface alone is the right hemisphere's, which has other vertices."""
    path.write_bytes(path.with_name("rh.white").read_bytes())


@damage(WHITE, refused="other vertices than")
def surface_vertex_lost(path):
    """A vertex is missing."""
    _geometry(path, lambda vertices: vertices[:-1])


@damage(WHITE, refused="not finite")
def vertex_not_a_number(path):
    """A coordinate is NaN."""

    def change(vertices):
        vertices[7, 1] = np.nan
        return vertices

    _geometry(path, change)


@damage(WHITE, refused="not finite")
def centre_not_a_number(path):
    """The centre of the volume is NaN."""
    _geometry(path, cras=np.array([np.nan, 0, 0]))


@damage(WHITE, refused="does not say where it lies")
def volume_invalid(path):
    """The header says that what it knows of the volume is not valid."""
    _geometry(path, valid="0  # volume info invalid")


@damage(WHITE, refused="does not say where it lies")
def without_volume(path):
    """The surface does not say in which volume it lies."""
    vertices, faces = nibabel.freesurfer.read_geometry(str(path))
    nibabel.freesurfer.write_geometry(str(path), vertices, faces)


@damage(WHITE, refused="not a surface")
def vertices_enormous(path):
    """The file announces two billion vertices."""
    raw = path.read_bytes()
    start = raw.index(b"\n\n") + 2
    path.write_bytes(raw[:start] + struct.pack(">i", 2**31 - 1) + raw[start + 4 :])


@damage(WHITE, refused="none of its regions holds a voxel", names="aparc.annot")
def surfaces_elsewhere(path):
    """All surfaces lie a metre away."""
    for name in ("lh.white", "lh.pial", "rh.white", "rh.pial"):
        file = path.with_name(name)
        content = file.resolve().read_bytes()
        file.unlink()
        file.write_bytes(content)
        _geometry(file, lambda vertices: vertices + 1000)
