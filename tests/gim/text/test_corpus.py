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
