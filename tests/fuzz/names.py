"""Damaged names of regions and lists of basis words."""

from tests.fuzz.formats import NAMES
from tests.fuzz.registry import CHECKED, common, damage, edit, recode
from tests.fuzz.specimens import BASIS


@damage(NAMES, refused="no column")
def names_column_lost(path):
    """The names are called 'label'."""
    edit(path, "name", "label")


@damage(NAMES, refused="no column")
def names_with_commas(path):
    """Commas separate the cells."""
    path.write_text(path.read_text().replace("\t", ","))


@damage(NAMES, refused="no whole number")
def names_index_fraction(path):
    """An index is a fraction."""
    edit(path, "2\tauditory", "2.5\tauditory")


@damage(NAMES, refused="no whole number")
def names_index_lost(path):
    """An index is missing."""
    edit(path, "2\tauditory", "n/a\tauditory")


@damage(NAMES, refused="named twice")
def names_index_twice(path):
    """An index has two names."""
    edit(path, "3\tvisual", "2\tvisual")


@damage(NAMES, refused="without a name")
def names_name_lost(path):
    """A name is missing."""
    edit(path, "2\tauditory", "2\tn/a")


@damage(NAMES)
def names_of_other_labels_too(path):
    """There are names of numbers that the volume does not have."""
    path.write_text(path.read_text() + "9\tnowhere\n")


@damage(NAMES)
def names_index_as_a_float(path):
    """Whole numbers have a decimal point."""
    edit(path, "2\tauditory", "2.0\tauditory")


@damage(NAMES, warned="no name for 2")
def names_label_lost(path):
    """A number of the volume has no name."""
    edit(path, "2\tauditory\n", "")


# Basis words

common(BASIS, **CHECKED)


@damage(BASIS)
def basis_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(BASIS)
def basis_windows(path):
    """Lines end as on Windows (CR LF)."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


@damage(BASIS, refused="cannot be read")
def basis_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(BASIS, refused="cannot be read")
def basis_latin1(path):
    """Latin-1."""
    recode(path, "latin-1")


@damage(BASIS, refused="no single words")
def basis_zero_bytes(path):
    """Zeros in the middle of the file."""
    path.write_bytes(path.read_bytes().replace(b"sea", bytes(3)))


@damage(BASIS, refused="occur twice")
def basis_word_twice(path):
    """A word is there twice, once as a capital."""
    path.write_text("Sea\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


@damage(BASIS, refused="no single words")
def basis_of_a_table(path):
    """The file is a table: ranks stand beside the words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{line},{i}\n" for i, line in enumerate(lines)), encoding="utf-8")


@damage(BASIS, refused="no single words")
def basis_on_one_line(path):
    """All words stand on one line."""
    path.write_text(path.read_text(encoding="utf-8").replace("\n", " "), encoding="utf-8")
