"""GGUF files: one file with a model's weights, shape and tokenizer, as llama.cpp has them.

transformers reads them, with the package gguf. What it would say of a damaged one is found here
first, in words.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gim.errors import InputError
from gim.files import check_fetched, file_digest

SUFFIX = ".gguf"
MAGIC = b"GGUF"


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself.

    Attributes
    ----------
    architecture : str
        As llama.cpp calls it, such as "llama".
    n_weights : int
        Numbers in all its tensors.
    has_tokenizer : bool
    """

    architecture: str
    n_weights: int
    has_tokenizer: bool


def is_gguf(source: str | Path) -> bool:
    """Whether a source is a GGUF file by its name."""
    return Path(source).suffix.lower() == SUFFIX and not Path(source).is_dir()


def read_header(path: str | Path) -> Header:
    """Check that a file is whole, and of an architecture that transformers reads.

    Raises
    ------
    InputError
        If it is not, or the package gguf is not installed.
    """
    path = Path(path)
    check_fetched(path)
    try:
        state = path.stat()
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    if magic != MAGIC:
        raise InputError(f"{path}: no GGUF file (it does not begin with GGUF); download it again")
    if find_spec("gguf") is None:
        raise InputError(
            f"{path}: GGUF files are read with the package gguf, which is not installed; run "
            "`pip install 'gim-encoding[gguf]'`"
        )
    return _read(path, state.st_size, state.st_mtime_ns)


@cache
def _read(path: Path, size: int, changed: int) -> Header:
    """The header of a file of this size and time: to read one takes seconds."""
    import gguf

    try:
        reader = gguf.GGUFReader(path)
        architecture = str(_value(reader, "general.architecture"))
        weights = sum(int(tensor.n_elements) for tensor in reader.tensors)
        tokenizer = "tokenizer.ggml.tokens" in reader.fields
    except Exception as error:  # whatever numpy raises of bytes that are not there
        raise InputError(
            f"{path}: no whole GGUF file ({type(error).__name__}: {error}); it has {size:,} bytes, "
            "compare that with its source and download it again"
        ) from error
    check_architecture(path, architecture)
    return Header(architecture, weights, tokenizer)


def _value(reader: Any, key: str) -> Any:
    return reader.fields[key].contents()


def check_architecture(path: Path, architecture: str) -> None:
    """Raise unless transformers reads GGUF files of this architecture."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    other = {"general", "tokenizer"}  # its table has parts of the header, too
    known = sorted(set(GGUF_SUPPORTED_ARCHITECTURES) - other)
    plain = architecture.replace("-", "_")
    if not {architecture, plain} & set(known) and plain.replace("moe", "_moe") not in known:
        raise InputError(
            f"{path}: a model of the architecture {architecture!r}, which transformers does not "
            f"read from GGUF (it does {', '.join(known)}); give the model as a Hugging Face folder"
        )


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file."""
    state = Path(path).stat()
    return _hash(Path(path), state.st_size, state.st_mtime_ns)


@cache
def _hash(path: Path, size: int, changed: int) -> str:
    return file_digest(path)
