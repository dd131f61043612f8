"""Corpora under every name that people give them."""

import gzip
import json
import lzma

import pytest
import zstandard

from gim.errors import InputError
from gim.text.corpus import read_documents

TEXTS = ["The boat.", "A second text."]
LINES = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
PACK = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".zst": zstandard.compress}


class Counted(bytes):
    """Bytes that count how many of them are copied by slicing."""

    copied = 0

    def __getitem__(self, key):
        found = Counted(super().__getitem__(key))
        Counted.copied += len(found)
        return found


def test_decompressing_copies_each_byte_a_few_times_at_most(tmp_path, monkeypatch):
    """A small file of a large text: what waits must not be copied again for each piece read."""
    line = json.dumps({"text": "a line " * 100}) + "\n"
    size = len(line) * 3000
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(line.encode() * 3000))
    make = zstandard.ZstdDecompressor

    class Frame:
        def __init__(self):
            self._own = make().decompressobj()

        def decompress(self, data):
            return Counted(self._own.decompress(data))

        def __getattr__(self, name):
            return getattr(self._own, name)

    class Decompressor:
        decompressobj = staticmethod(Frame)

    monkeypatch.setattr(zstandard, "ZstdDecompressor", Decompressor)
    monkeypatch.setattr(Counted, "copied", 0)
    assert len(read(tmp_path / "a.jsonl.zst")) == 3000
    assert Counted.copied <= 3 * size


def test_many_small_frames_are_one_text(tmp_path):
    parts = [f"line {i}\n" for i in range(3000)]
    packed = b"".join(zstandard.compress(part.encode()) for part in parts)
    (tmp_path / "a.txt.zst").write_bytes(packed)
    assert "".join(read(tmp_path / "a.txt.zst")) == "".join(parts)


def test_a_line_without_end_comes_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("gim.text.corpus.PIECE", 100)
    (tmp_path / "a.txt").write_text("a" * 1000)
    found = read(tmp_path / "a.txt")
    assert "".join(found) == "a" * 1000 and max(map(len, found)) <= 200


def read(path):
    return [document.text for document in read_documents([path])]


@pytest.mark.parametrize("case", [str, str.upper])
@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize(
    "suffix", [".jsonl", ".jsonlines", ".ndjson", ".jl", ".json", ".jsonl.txt"]
)
def test_the_suffix_decides_without_case(tmp_path, suffix, packed, case):
    path = tmp_path / ("corpus.v1" + case(suffix + packed))
    path.write_bytes(PACK[packed](LINES.encode()))
    assert read(path) == TEXTS


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("suffix", ["", ".txt", ".TXT", ".json.bak", ".csv"])
@pytest.mark.parametrize(
    "content",
    [
        LINES,
        "\n\n" + LINES,
        json.dumps({"text": "alone"}),
        json.dumps({"text": "on lines"}, indent=1),
        json.dumps([{"text": "a"}, {"text": "b"}], indent=1),
        LINES.replace("}\n", "},\n"),
        "\ufeff" + LINES,
    ],
    ids=["lines", "late", "one", "indented", "array", "commas", "mark"],
)
def test_json_under_the_name_of_plain_text_is_refused(tmp_path, suffix, packed, content):
    path = tmp_path / f"corpus{suffix}{packed}"
    path.write_bytes(PACK[packed](content.encode()))
    with pytest.raises(InputError, match=rf"corpus{suffix}{packed}, line 1: a JSON .* \*\.jsonl"):
        read(path)


@pytest.mark.parametrize(
    "content",
    [
        "A text.\n" + LINES,
        "{",
        "{} is an empty set.",
        '{"a": 1} is an object of JSON.',
        "[1] A note.",
        "[laughs] {sic}",
        '"Quoted", she said.',
        "1984",
        "",
    ],
)
def test_text_that_only_looks_like_json_is_text(tmp_path, content):
    path = tmp_path / "corpus.json.notes.txt"
    path.write_text(content)
    assert read(path) == [content] * bool(content)


def test_plain_text_under_the_name_of_json_is_refused(tmp_path):
    path = tmp_path / "corpus.JSONL.txt"
    path.write_text("A text.\n")
    with pytest.raises(InputError, match=r"corpus\.JSONL\.txt, line 1: not a JSON object"):
        read(path)
