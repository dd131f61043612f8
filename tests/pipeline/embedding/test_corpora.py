"""Corpora: every compression, every damage, and what is a word."""

import gzip
import json
import lzma

import numpy as np
import pytest
import zstandard

from pipeline.core.errors import ProblemError
from pipeline.embedding.eng1000 import documents, tokenise

TEXTS = ["The boat.", "Caf\u00e9 \u2028 and \u00efles", ""]
LINES = [json.dumps({"title": "t", "text": text}, ensure_ascii=False) + "\n" for text in TEXTS]
CONTENT = "".join(LINES).encode()
COMPRESS = {
    ".jsonl": bytes,
    ".jsonl.gz": gzip.compress,
    ".jsonl.xz": lzma.compress,
    ".jsonl.zst": zstandard.compress,
}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_every_compression(tmp_path, suffix):
    path = tmp_path / f"corpus{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT))
    assert list(documents(path)) == TEXTS


@pytest.mark.parametrize("suffix", COMPRESS)
def test_concatenated_files_are_read_to_the_end(tmp_path, suffix):
    path = tmp_path / f"corpus{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT) + COMPRESS[suffix](CONTENT))
    assert list(documents(path)) == TEXTS * 2


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_truncated_file_is_not_read_as_a_shorter_one(tmp_path, suffix, share):
    path = tmp_path / f"corpus{suffix}"
    words = np.random.default_rng(0).integers(1_000_000, size=(300, 200))
    lines = (json.dumps({"text": " ".join(map(str, row))}) + "\n" for row in words)
    whole = COMPRESS[suffix]("".join(lines).encode())
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ProblemError, match=f"corpus{suffix}"):
        list(documents(path))


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.xz", ".jsonl.zst"])
def test_a_file_that_is_not_what_its_suffix_says(tmp_path, suffix):
    path = tmp_path / f"corpus{suffix}"
    path.write_bytes(CONTENT)
    with pytest.raises(ProblemError, match=f"corpus{suffix}: cannot be read"):
        list(documents(path))


def test_damage_inside_a_gz_file(tmp_path):
    path = tmp_path / "corpus.jsonl.gz"
    whole = bytearray(gzip.compress(CONTENT * 50))
    whole[20:40] = b"\xff" * 20
    path.write_bytes(whole)
    with pytest.raises(ProblemError, match=r"corpus\.jsonl\.gz"):
        list(documents(path))


@pytest.mark.parametrize("line", ["{", '{"title": "t"}', '["text"]', '{"text": 1}', "null"])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "corpus.jsonl"
    path.write_text(LINES[0] + "\n" + line + "\n")
    with pytest.raises(ProblemError, match="line 3"):
        list(documents(path))


def test_a_text_of_another_encoding(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes('{"text": "caf\u00e9"}'.encode("latin-1"))
    with pytest.raises(ProblemError, match="not UTF-8"):
        list(documents(path))


def test_an_empty_file(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.touch()
    with pytest.raises(ProblemError, match="empty"):
        list(documents(path))


def test_a_missing_file(tmp_path):
    with pytest.raises(ProblemError, match=r"missing\.jsonl"):
        list(documents(tmp_path / "missing.jsonl"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", ["hello", "world"]),
        ("I don't -- I won\u2019t.", ["i", "don't", "i", "won't"]),
        ("'tis the dogs' \u2018bone\u2019", ["tis", "the", "dogs", "bone"]),
        ("_very_ well-known", ["very", "well", "known"]),
        ("rock 'n' roll", ["rock", "n", "roll"]),
        ("fo'c's'le", ["fo'c's'le"]),
        ("Caf\u00e9 \u00c9LAN", ["caf\u00e9", "\u00e9lan"]),
        ("In 1984 the 20th", ["in", "1984", "the", "20th"]),
        (" ...\n", []),
    ],
)
def test_words(text, words):
    assert tokenise(text) == words
