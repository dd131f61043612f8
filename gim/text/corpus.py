"""Streaming documents out of text and JSONL files, compressed or not."""

import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from gim.errors import InputError
from gim.files import check_fetched
from gim.progress import progress_bar

COMPRESSED = {".gz", ".xz", ".zst"}
JSONL = {".jsonl", ".ndjson", ".json", ".jsonlines", ".jl"}
CHUNK = 1 << 12  # bytes decompressed at a time, to 128 MiB at most
PIECE = 1 << 24  # characters: a longer plain-text file is cut at a line end
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Document:
    """One text of a corpus."""

    title: str
    text: str


def read_documents(
    paths: Iterable[str | Path], field: str = "text", progress: str | None = None
) -> Iterator[Document]:
    """Yield the documents of several files, one at a time.

    Parameters
    ----------
    paths : paths of files
        ``*.jsonl``, ``*.jsonlines``, ``*.ndjson``, ``*.jl`` or ``*.json`` (also with ``.txt``
        after it) hold one JSON object a line; anything else is plain UTF-8 text, one document a
        file (files beyond 16 M characters are cut at a line end, lines there too). Each may be
        compressed: ``.gz``, ``.xz`` or ``.zst``. Case does not matter.
    field : str
        The key of the text in JSONL.
    progress : str, optional
        Show a progress bar over the bytes read, with this label.

    Raises
    ------
    InputError
        For a missing, unreadable or malformed file, or one of JSON objects under the name of plain
        text; it names the file and the line.
    """
    files = [Path(path) for path in paths]
    for path in files:
        check_fetched(path)
        if not path.is_file():
            raise InputError(f"{path}: no such corpus file; pass text or JSONL files")
    total = sum(path.stat().st_size for path in files)
    bar = progress_bar(
        total=total, unit="B", unit_scale=True, desc=progress, disable=progress is None
    )
    with bar:
        for path in files:
            yield from _parse(path, field, bar)


def _parse(path: Path, field: str, bar: tqdm) -> Iterator[Document]:
    seen = 0
    try:
        with path.open("rb") as raw, _text_stream(path, raw) as stream:
            parts = _jsonl(path, stream, field) if _named_jsonl(path) else _plain(path, stream)
            for document in parts:
                yield document
                bar.update(raw.tell() - seen)
                seen = raw.tell()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error}); convert it first") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); is it complete?") from error
    bar.update(path.stat().st_size - seen)


def _named_jsonl(path: Path) -> bool:
    """Whether a name says JSONL, compressed or not, also with the .txt that browsers add."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    if len(suffixes) > 1 and suffixes[-1] == ".txt" and suffixes[-2] in JSONL:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in JSONL


@contextmanager
def _text_stream(path: Path, raw: IO[bytes]) -> Iterator[IO[str]]:
    """The decompressed text of an open file; every way of being damaged becomes an OSError."""
    damaged: tuple[type[Exception], ...] = (EOFError, lzma.LZMAError, zlib.error)
    opened: Any = raw
    suffix = path.suffix.lower()
    if suffix == ".gz":
        opened = gzip.open(raw)  # noqa: SIM115  (closed by the wrapper below)
    elif suffix == ".xz":
        opened = lzma.open(raw)  # noqa: SIM115
    elif suffix == ".zst":
        import zstandard

        damaged += (zstandard.ZstdError,)
        opened = io.BufferedReader(_Frames(raw))
    try:
        with io.TextIOWrapper(opened, encoding="utf-8-sig") as stream:
            yield stream
    except damaged as error:
        raise OSError(str(error)) from error


class _Frames(io.RawIOBase):
    """Decompressed .zst; the library's own reader ends in silence where a frame is cut off."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame: Any = None
        self._waiting = b""
        self._ready = io.BytesIO()

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; return how far."""
        import zstandard

        while not (n := self._ready.readinto(buffer)):
            compressed = self._waiting or self._raw.read(CHUNK)
            if not compressed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a compressed frame")
                return 0
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._ready = io.BytesIO(self._frame.decompress(compressed))
            self._waiting = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
        return n


def _jsonl(path: Path, stream: IO[str], field: str) -> Iterator[Document]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: not a JSON object ({error})") from error
        text = record.get(field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise InputError(f'{path}, line {number}: no text under the key "{field}"; name it')
        if _SURROGATE.search(text):
            raise InputError(f"{path}, line {number}: half a character (a lone surrogate); mend it")
        yield Document(str(record.get("title", f"{path.name}:{number}")), text)


def _plain(path: Path, stream: IO[str]) -> Iterator[Document]:
    number = 0
    while text := stream.read(PIECE):
        text += stream.readline(PIECE) if len(text) == PIECE else ""
        if "\0" in text:
            raise InputError(f"{path}: zero bytes, no UTF-8 text (UTF-16?); convert it first")
        if number == 0 and _is_json(text):
            raise InputError(
                f"{path}, line 1: a JSON object, in a file named as plain text; name it "
                "*.jsonl, with one object a line, or take the text out of it"
            )
        yield Document(path.name if number == 0 else f"{path.name}+{number}", text)
        number += 1


def _is_json(text: str) -> bool:
    """Whether a text begins with a JSON object, alone or followed by another."""
    text = text.lstrip().removeprefix("[").lstrip()
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    after = text[end:].lstrip()[:1]
    return isinstance(found, dict) and bool(found) and after in ("", "{", ",", "]")
