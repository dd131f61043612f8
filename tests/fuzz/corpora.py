"""Damaged corpora."""

import json

from tests.fuzz.registry import common, cut, damage, recode
from tests.fuzz.specimens import CORPORA

TEXT, LINES = CORPORA[".txt"], CORPORA[".jsonl"]

for _specimen in (TEXT, LINES):
    common(
        _specimen,
        missing="no such corpus",
        folder="no such corpus",
        unreadable="cannot be read",
        pointer="not fetched yet",
        lfs_pointer="not fetched yet",
        dangling="not fetched yet",
    )

    @damage(_specimen)
    def byte_order_mark(path):
        """UTF-8 with a byte-order mark."""
        recode(path, "utf-8-sig")

    @damage(_specimen)
    def windows_lines(path):
        """Lines end as on Windows (CR LF)."""
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    @damage(_specimen, refused="not UTF-8 text")
    def utf16(path):
        """UTF-16 with a byte-order mark."""
        recode(path, "utf-16")

    @damage(_specimen, refused="not UTF-8 text")
    def latin1(path):
        """Latin-1."""
        recode(path, "latin-1")


@damage(TEXT, refused="zero bytes")
def utf16_without_mark(path):
    """English in UTF-16 without a byte-order mark."""
    path.write_bytes(b"plain English".decode().encode("utf-16-le"))


@damage(TEXT, refused="line 1: a JSON object")
def lines_under_the_name_of_text(path):
    """JSONL under the name of plain text."""
    path.write_bytes(path.with_suffix(".jsonl").read_bytes())


@damage(TEXT, refused="line 1: a JSON object")
def array_under_the_name_of_text(path):
    """A JSON array of objects under the name of plain text."""
    path.write_text(json.dumps([{"text": "a"}, {"text": "b"}], indent=1))


@damage(LINES, refused="line 2: not a JSON object")
def line_cut(path):
    """A line is cut."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1][:20], *lines[2:]]), encoding="utf-8")


@damage(LINES, refused="line 2: not a JSON object")
def enormous_number(path):
    """A line holds a number of 5,000 digits."""
    path.write_text('{"text": "a"}\n{"text": "b", "id": ' + "1" * 5000 + "}\n")


@damage(LINES, refused="line 2: not a JSON object")
def nested(path):
    """A line holds a hundred thousand brackets."""
    path.write_text('{"text": "a"}\n' + "[" * 100_000 + "\n")


@damage(LINES, refused="line 2: half a character")
def half_a_character(path):
    """A text holds half of a surrogate pair."""
    path.write_text('{"text": "a"}\n{"text": "b \\ud83d c"}\n')


@damage(LINES, refused="line 2: no text")
def other_key(path):
    """A line has its text under another key."""
    path.write_text('{"text": "a"}\n{"body": "b"}\n')


@damage(LINES, refused="line 1: not a JSON object")
def one_array(path):
    """The file is one JSON array over several lines."""
    path.write_text(json.dumps([{"text": "a"}], indent=1))


for _suffix in (".jsonl.gz", ".jsonl.xz", ".jsonl.zst", ".txt.zst"):

    @damage(CORPORA[_suffix], refused="cannot be read")
    def cut_short(path):
        """The end of the file is missing."""
        cut(path)

    @damage(CORPORA[_suffix], refused="cannot be read")
    def last_byte_lost(path):
        """The last byte is missing."""
        path.write_bytes(path.read_bytes()[:-1])

    @damage(CORPORA[_suffix], refused="cannot be read")
    def not_compressed(path):
        """The file is plain text."""
        path.write_text('{"text": "a"}\n')

    # Python's reader of .xz passes over what follows: the text itself is whole.
    @damage(CORPORA[_suffix], refused=None if _suffix.endswith("xz") else "cannot be read")
    def garbage_after_the_end(path):
        """Other bytes follow the compressed text."""
        path.write_bytes(path.read_bytes() + b"no compressed text")
