"""Building and checking an index of a reference corpus, in the format of ``infini-gram``.

Tokenising, checking and the description in ``gim.json`` are ours, because the engine of the package
(Liu et al. 2024) crashes or answers wrongly on an index that is incomplete or of another token
width. Suffixes are sorted by kept libraries (`gim.infinigram.sorting`).
"""

import json
import time
import zlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gim._kernels import suffix_array as array
from gim.errors import InputError
from gim.files import atomic_directory, write_json
from gim.infinigram import seen
from gim.infinigram.sorting import sort_suffixes, table_width
from gim.progress import progress_bar
from gim.text.bulk import bulk_encoder
from gim.text.corpus import read_documents
from gim.text.fidelity import Fidelity
from gim.text.tokenizer import MAX_ID, Tokenizer

FORMAT = 1
DESCRIPTION = "gim.json"
PARTS = ("tokenized.0", "offset.0", "table.0")
DTYPES: dict[str, np.dtype] = {"u16": np.dtype("<u2"), "u32": np.dtype("<u4")}
SAFE_PARALLEL = 5_000_000  # tokens below which several processes write a wrong table
CHECK_DEPTH = 64  # tokens to which neighbouring suffixes are compared
CHECK_BLOCK = 1 << 20
LONG = 50_000_000  # tokens from which verifying takes long enough to show a bar


def build_index(
    corpora: Iterable[str | Path],
    tokenizer: Tokenizer,
    out: str | Path,
    *,
    field: str = "text",
    cpus: int = 1,
    memory: int = 2,
    hold_out: int = 0,
    progress: bool = True,
) -> dict:
    """Tokenise corpora, sort their suffixes, verify the result and put it at ``out``.

    Parameters
    ----------
    corpora : paths of text or JSONL files
        See `gim.text.corpus.read_documents`.
    out : path of the index directory
        It appears only when the index is complete and verified.
    cpus : int
        Processes of the package's suffix sort. One is used below 5 M tokens, where its parallel
        sort is wrong.
    memory : int
        GiB that the suffix sort may use. Tokenising needs one document at a time. See
        `gim.infinigram.sorting`.
    hold_out : int
        Leave out every n-th document, beginning with the first, to tune on (0: none).

    Returns
    -------
    description : dict
        What ``gim.json`` in the index holds: counts, sizes, tokenizer, token width.

    Raises
    ------
    InputError
        For unreadable corpora, corpora without a token, documents that their tokens do not spell
        (a sample is compared), or an index that fails its check.
    """
    names = [str(path) for path in corpora]
    started = time.perf_counter()
    dtype = "u16" if tokenizer.vocab_size <= 0xFFFF else "u32"
    label = "tokenising" if progress else None
    with atomic_directory(out) as folder:
        documents, tokens = _tokenise(names, tokenizer, folder, dtype, field, label, hold_out)
        if tokens == 0:
            raise InputError(f"{', '.join(names)}: not one token to index")
        sort_started = time.perf_counter()
        sort_suffixes(
            folder, DTYPES[dtype].itemsize, cpus if tokens >= SAFE_PARALLEL else 1, memory
        )
        sort_seconds = time.perf_counter() - sort_started
        description = {
            "format": FORMAT,
            "infini_gram": version("infini-gram"),
            "token_dtype": dtype,
            "tokenizer": tokenizer.name,
            "fingerprint": tokenizer.fingerprint,
            "vocab_size": tokenizer.vocab_size,
            "corpora": [Path(name).name for name in names],
            "hold_out": hold_out,
            "documents": documents,
            "tokens": tokens,
            "bytes": {part: (folder / part).stat().st_size for part in PARTS},
            "crc32": {part: checksum(folder / part) for part in PARTS},
            "seconds": {
                "total": round(time.perf_counter() - started, 2),
                "sort": round(sort_seconds, 2),
            },
        }
        write_json(folder / DESCRIPTION, description)
        files = _files(folder)
        verify_index(folder, progress=progress)
        seen.remember(seen.by_place(files), seen.by_content(files))
    return description


def _tokenise(
    names: list[str],
    tokenizer: Tokenizer,
    folder: Path,
    dtype: str,
    field: str,
    label: str | None,
    hold_out: int,
) -> tuple[int, int]:
    """Write ``tokenized.0`` and ``offset.0``; return the numbers of documents and tokens."""
    kind = DTYPES[dtype]
    separator = np.array([np.iinfo(kind).max], kind).tobytes()
    documents = tokens = offset = 0
    fidelity, encode = Fidelity(tokenizer), bulk_encoder(tokenizer)
    with (folder / "tokenized.0").open("wb") as ids, (folder / "offset.0").open("wb") as offsets:
        for number, document in enumerate(read_documents(names, field, label)):
            if hold_out and number % hold_out == 0:
                continue
            encoded = encode(document.text)
            stored = encoded.astype(kind)
            fidelity.check(document.title, document.text, stored)
            if len(encoded) == 0:
                continue
            offsets.write(np.array([offset], "<u8").tobytes())
            content = separator + stored.tobytes()
            ids.write(content)
            offset += len(content)
            documents += 1
            tokens += len(encoded)
    return documents, tokens


def describe_index(path: str | Path) -> dict:
    """Read and check the description of an index and the sizes of its files.

    Raises
    ------
    InputError
        When the index is missing, incomplete, truncated or of an unknown format.
    """
    folder = Path(path)
    file = folder / DESCRIPTION
    if not folder.is_dir():
        raise InputError(f"{path}: no such index; build one with `gim index CORPUS... --out PATH`")
    if not file.is_file():
        raise InputError(f"{path}: not an index of `gim index` ({DESCRIPTION} is missing)")
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        sizes, dtype = description["bytes"], DTYPES[description["token_dtype"]]
        known = description["format"] == FORMAT
        counts = [description[key] for key in ("tokens", "documents", "vocab_size")]
        most_ids = min(np.iinfo(dtype).max, MAX_ID + 1)  # below the separator
        if not all(type(count) is int and count > 0 for count in counts) or counts[2] > most_ids:
            raise ValueError(f"tokens, documents and vocab_size are {counts}")
        if not (
            isinstance(sizes, dict) and description["fingerprint"] and description["tokenizer"]
        ):
            raise ValueError("sizes or tokenizer are not given")
        n = description["tokens"] + description["documents"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: damaged ({error!r}); build the index again") from error
    if not known:
        raise InputError(f"{file}: format {description['format']}, not {FORMAT}; build it again")
    expected = {
        "tokenized.0": n * dtype.itemsize,
        "offset.0": 8 * description["documents"],
        "table.0": n * table_width(n * dtype.itemsize),
    }
    for part in PARTS:
        actual = (folder / part).stat().st_size if (folder / part).is_file() else 0
        if not actual == sizes.get(part) == expected[part]:
            raise InputError(
                f"{folder / part}: {actual} bytes instead of {expected[part]}: truncated, missing "
                "or of another token width; build the index again"
            )
    return description


def check_index(path: str | Path) -> dict:
    """Check an index, wholly when it is first seen, and return its description.

    Whoever made it may have meant harm: its checksums are its own. What has been verified is
    remembered (`gim.infinigram.seen`), so that opening it again is a matter of milliseconds.

    Raises
    ------
    InputError
        As `describe_index`, `check_content` and `verify_index`.
    """
    description, files = describe_index(path), _files(Path(path))
    place = seen.by_place(files)
    if not seen.is_known(place):
        check_content(path, description)
        content = seen.by_content(files)
        if not seen.is_known(content):
            verify_index(path, progress=description["tokens"] >= LONG)
        seen.remember(place, content)
    return description


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in (DESCRIPTION, *PARTS)]


def check_content(path: str | Path, description: dict) -> None:
    """Compare the files of an index with the checksums that it was built with, if it has any.

    Raises
    ------
    InputError
        When a file is not what was built: its answers would be wrong, or a crash.
    """
    for part, wanted in description.get("crc32", {}).items():
        file = Path(path) / part
        if part in PARTS and checksum(file) != wanted:
            raise InputError(f"{file}: not what was built (another checksum); build it again")


def checksum(path: Path) -> int:
    """CRC-32 of a file."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(CHECK_BLOCK):
            value = zlib.crc32(block, value)
    return value


def verify_index(path: str | Path, *, progress: bool = False) -> None:
    """Check the whole index: sizes, offsets, ids, and that the table is a sorted permutation.

    Memory is one bit a token. Neighbouring suffixes are compared to a depth of 64 tokens.

    Raises
    ------
    InputError
        At the first thing that is wrong.
    """
    folder, description = Path(path), describe_index(path)
    text, table, offsets = open_parts(folder, description)
    separator = np.iinfo(text.dtype).max
    starts = offsets // text.dtype.itemsize
    astray = starts[0] != 0 or np.any(starts[1:] <= starts[:-1]) or starts[-1] >= len(text)
    if astray or np.any(text[starts] != separator):
        raise InputError(f"{folder / 'offset.0'}: does not point to the documents; build it again")
    seen = np.zeros(len(text) // 8 + 1, np.uint8)
    width, separators = len(table) // len(text), np.int64(0)
    blocks = range(0, len(text), CHECK_BLOCK)
    for begin in progress_bar(blocks, desc="verifying", unit="block", disable=not progress):
        end = min(begin + CHECK_BLOCK, len(text))
        block = text[begin:end]
        is_token = block != separator
        separators += np.count_nonzero(~is_token)
        if np.max(block, where=is_token, initial=0) >= description["vocab_size"]:
            raise InputError(
                f"{folder / 'tokenized.0'}: ids beyond the vocabulary, or {DESCRIPTION} gives a "
                "wrong size of the vocabulary; build the index again"
            )
        where = array.verify(text, table, width, begin, end, seen, CHECK_DEPTH)
        if where >= 0:
            raise InputError(
                f"{folder / 'table.0'}: entry {where} is out of order; build the index again"
            )

    if separators != len(starts):
        raise InputError(
            f"{folder / 'tokenized.0'}: {separators} separators for {len(starts)} documents; "
            "build the index again"
        )


def open_parts(folder: Path, description: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memory-map (tokens, suffix table as bytes, byte offsets of the documents)."""

    def open_part(name: str, dtype: np.dtype) -> np.ndarray:
        # A plain array over the map: numba does not take np.memmap's own type.
        return np.asarray(np.memmap(folder / name, dtype, "r"))

    text = open_part("tokenized.0", DTYPES[description["token_dtype"]])
    return text, open_part("table.0", np.dtype(np.uint8)), open_part("offset.0", np.dtype("<u8"))
