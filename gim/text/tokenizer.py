"""One interface to the tokenizers that language models use."""

import codecs
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gim.errors import InputError
from gim.files import check_fetched
from gim.text.gguf import is_gguf, read_header
from gim.text.hub import find_folder, find_model

DEFAULT = "default"
MAX_TOKEN = 2**32 - 2  # the last value of 32 bits marks empty places of hash tables
LONG = 1000  # characters of a text that is encoded by words
MAX_ID = 10_000_000  # some forty times the largest vocabularies there are


class Tokenizer:
    """Text to token ids and back, with the bytes of every token.

    Parameters
    ----------
    name : str
        What the user called it.
    encode : callable
        Text to a list of ids, without special tokens.
    table : sequence of bytes
        The bytes that each id stands for; empty for special tokens.
    fast : tokenizers.Tokenizer, optional
        The Hugging Face tokenizer behind it, where there is one.
    """

    def __init__(
        self,
        name: str,
        encode: Callable[[str], Sequence[int] | NDArray],
        table: Sequence[bytes],
        fast: Any = None,
    ) -> None:
        self.name = name
        self.table = list(table)
        self.fast = fast
        self._encode = encode

    @property
    def vocab_size(self) -> int:
        """Number of ids: every id is below it."""
        return len(self.table)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the vocabulary: equal for tokenizers whose ids mean the same."""
        digest = hashlib.sha256()
        for piece in self.table:
            digest.update(len(piece).to_bytes(4, "little") + piece)
        return digest.hexdigest()[:16]

    def encode(self, text: str) -> NDArray[np.int64]:
        """Token ids of ``text``, shape (n_tokens,)."""
        return np.array(self._encode(text), np.int64)

    def decode(self, ids: Sequence[int] | NDArray) -> str:
        """Text of the ids; bytes that form no character become U+FFFD."""
        return self.bytes_of(ids).decode("utf-8", errors="replace")

    def bytes_of(self, ids: Sequence[int] | NDArray) -> bytes:
        """The bytes that the ids stand for.

        Raises
        ------
        InputError
            For an id that the vocabulary does not have.
        """
        try:
            return b"".join([self.table[int(i)] for i in ids])
        except IndexError:
            raise InputError(
                f"a token id is not below {self.vocab_size}, the vocabulary of tokenizer "
                f"{self.name}: the ids come from another tokenizer"
            ) from None

    def stream(self) -> "TextStream":
        """A decoder that takes one token at a time."""
        return TextStream(self)

    def text_and_ends(self, ids: Sequence[int] | NDArray) -> tuple[str, NDArray[np.int64]]:
        """Text of the ids and, for each id, how many characters are complete after it.

        Returns
        -------
        text : str
        ends : int array of shape (len(ids),)
            A token that ends inside a character counts only the characters before it.
        """
        data = self.bytes_of(ids)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            stream = self.stream()
            parts = [stream.push(int(i)) for i in ids]
            return "".join(parts), np.cumsum([len(part) for part in parts], dtype=np.int64)
        ends = np.cumsum([len(self.table[int(i)]) for i in ids], dtype=np.int64)
        begins = (np.frombuffer(data + b" ", np.uint8) & 0xC0) != 0x80
        # Before each byte, and at the end: characters that began, but for one that goes on here.
        return text, (np.append(0, np.cumsum(begins[:-1])) - ~begins)[ends]


def check_ids(ids: ArrayLike, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Token ids as an array.

    Raises
    ------
    InputError
        For an id beyond the vocabulary.
    """
    tokens = as_tokens(ids)
    if len(tokens) and int(tokens.max()) >= tokenizer.vocab_size:
        raise InputError(
            f"token id {tokens.max()} is not below {tokenizer.vocab_size}, the vocabulary "
            f"of tokenizer {tokenizer.name}"
        )
    return tokens


class TextStream:
    """Decodes tokens one by one; characters appear once their last byte has come."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._table = tokenizer.table
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def copy(self) -> "TextStream":
        """An independent copy."""
        other = copy(self)
        other._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        other._decoder.setstate(self._decoder.getstate())
        return other

    def push(self, token: int) -> str:
        """The characters that this token completes (possibly none)."""
        return self._decoder.decode(self._table[token])


def load_tokenizer(source: str | Path | None = None) -> Tokenizer:
    """Load a tokenizer.

    Parameters
    ----------
    source : str or path, optional
        One of: nothing or "default" (the byte-level BPE shipped with this package); a
        ``tokenizer.json``; a SentencePiece ``*.model``; a directory with ``tokenizer.json``,
        ``tokenizer.model`` or GPT-2's ``encoder.json`` and ``vocab.bpe`` (also ``vocab.json`` and
        ``merges.txt``); a GGUF file; the name of a model in the Hugging Face hub's cache. Nothing
        is downloaded.

    Raises
    ------
    InputError
        When nothing usable is there; the message says what could be passed instead.
    """
    if source is None or str(source) == DEFAULT:
        packaged = files("gim") / "data" / "tokenizer.json"
        return _from_json(packaged.read_text(encoding="utf-8"), DEFAULT)
    path = Path(source)
    if path.is_dir():
        return _from_directory(path)
    if is_gguf(path):
        return _from_gguf(path)
    check_fetched(path)
    if path.suffix.lower() == ".model" and path.is_file():
        return _from_sentencepiece(path)
    if path.suffix.lower() == ".json" and path.is_file():
        return _from_file(path, str(source))
    return _from_cache(str(source))


def _from_directory(path: Path) -> Tokenizer:
    check_fetched(*path.glob("*.json"), *path.glob("*.model"))
    if (path / "tokenizer.json").is_file():
        return _from_file(path / "tokenizer.json", str(path))
    if (path / "tokenizer.model").is_file():
        return _from_sentencepiece(path / "tokenizer.model")
    for vocabulary, merges in (("encoder.json", "vocab.bpe"), ("vocab.json", "merges.txt")):
        if (path / vocabulary).is_file() and (path / merges).is_file():
            from tokenizers import ByteLevelBPETokenizer

            try:
                bpe = ByteLevelBPETokenizer(str(path / vocabulary), str(path / merges))
            except Exception as error:  # the library raises plain Exception
                raise InputError(f"{path}: damaged {vocabulary} or {merges} ({error})") from error
            return _from_fast(bpe._tokenizer, str(path))
    raise InputError(
        f"{path}: no tokenizer here; it should hold tokenizer.json, tokenizer.model, or "
        "encoder.json and vocab.bpe"
    )


def _from_file(path: Path, name: str) -> Tokenizer:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); copy it again") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a tokenizer.json ({error}); copy it again") from error
    return _from_json(text, name)


def _from_json(text: str, name: str) -> Tokenizer:
    import tokenizers

    try:
        fast = tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the library raises plain Exception
        raise InputError(f"{name}: not a tokenizer.json ({error})") from error
    return _from_fast(fast, name)


def _from_gguf(path: Path) -> Tokenizer:
    """The tokenizer of a GGUF file, as transformers rebuilds it."""
    if not read_header(path).has_tokenizer:
        raise InputError(f"{path}: no tokenizer in this file; pass one, or another GGUF file")
    try:
        loaded = _pretrained(*find_model(path))
    except Exception as error:  # what several libraries raise
        raise InputError(
            f"{path}: its tokenizer cannot be read ({type(error).__name__}: {error}); pass the "
            "tokenizer.json that it was made from"
        ) from error
    return _from_fast(loaded.backend_tokenizer, str(path))


def _pretrained(folder: Path, options: dict[str, str]) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(  # a folder  # nosec B615
        folder, local_files_only=True, trust_remote_code=False, **options
    )


def _from_cache(name: str) -> Tokenizer:
    """A tokenizer by its name on the hub."""
    try:
        loaded = _pretrained(find_folder(name), {})
    except Exception as error:  # OSError, ValueError, and what several libraries raise
        raise InputError(
            f"tokenizer {name!r} is neither a local file nor in the Hugging Face hub's cache "
            f"({type(error).__name__}); pass a path to tokenizer.json, tokenizer.model or a "
            f"directory with encoder.json and vocab.bpe, fetch it first with `hf download`, or "
            f'pass "{DEFAULT}" for the one shipped here'
        ) from error
    if not loaded.is_fast:
        raise InputError(f"tokenizer {name!r} has no fast version; pass its tokenizer.model file")
    return _from_fast(loaded.backend_tokenizer, name)


def _from_sentencepiece(path: Path) -> Tokenizer:
    import sentencepiece

    try:
        model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise InputError(f"{path}: not a SentencePiece model ({error})") from error
    table = []
    for i in range(model.get_piece_size()):
        if model.is_control(i) or model.is_unknown(i):
            table.append(b"")
        else:
            piece = model.id_to_piece(i)
            table.append(_metaspace_bytes(piece) if model.is_byte(i) else _plain_bytes(piece))
    return Tokenizer(str(path), model.encode, table)


def _from_fast(fast: Any, name: str) -> Tokenizer:
    """Wrap a ``tokenizers.Tokenizer``; its decoder tells how pieces spell bytes."""
    _unlimited(fast)
    vocabulary = fast.get_vocab(with_added_tokens=True)
    if max(vocabulary.values(), default=0) > MAX_ID:
        raise InputError(f"{name}: a token id is out of range (above {MAX_ID}); copy it again")
    spec = json.loads(fast.to_str())  # takes time in proportion to the largest id
    decoder = json.dumps(spec.get("decoder"))
    own = fast.get_vocab(with_added_tokens=False)  # spelt by the model wherever else it occurs
    special = {token["id"] for token in spec.get("added_tokens", []) if token["special"]}
    special |= _unknown(spec["model"], vocabulary)
    if "ByteLevel" in decoder:
        spell = _byte_level_bytes
    elif "WordPiece" in decoder:
        spell = _wordpiece_bytes
    else:
        spell = _metaspace_bytes
    table = [b""] * (max(vocabulary.values(), default=-1) + 1)
    for piece, i in vocabulary.items():
        if i not in special:
            table[i] = spell(piece) if piece in own else _added_bytes(piece, spell)

    @cache
    def by_words() -> Any:
        from gim.text.by_words import ByWords  # which imports Numba, when a long text comes

        return ByWords(fast)

    long = LONG if _splits_like_gpt2(spec) else np.inf

    def encode(text: str) -> Sequence[int] | NDArray[np.int64]:
        if len(text) >= long and (ids := by_words().encode(text)) is not None:
            return ids
        return fast.encode(text, add_special_tokens=False).ids

    return Tokenizer(name, encode, table, fast)


def _splits_like_gpt2(spec: dict) -> bool:
    """Whether a tokenizer is one whose texts can be encoded word by word (`gim.text.by_words`)."""
    splitter = spec.get("pre_tokenizer") or {}
    plain = splitter.get("type") == "ByteLevel" and splitter.get("use_regex", True)
    plain &= not splitter.get("add_prefix_space", True) and spec.get("normalizer") is None
    return bool(plain) and spec["model"].get("type") == "BPE"


def _unlimited(fast: Any) -> None:
    """Turn off what a saved tokenizer keeps of its training: texts are encoded whole, and alike."""
    fast.no_truncation()
    fast.no_padding()
    if getattr(fast.model, "dropout", None):  # merges left out at random
        fast.model.dropout = None


def _unknown(model: dict, vocabulary: dict[str, int]) -> set[int]:
    """The id that stands for whatever the vocabulary lacks, if there is one."""
    if model.get("unk_id") is not None:
        return {model["unk_id"]}
    return {vocabulary[piece] for piece in [model.get("unk_token")] if piece in vocabulary}


def _byte_alphabet() -> dict[str, int]:
    """Byte-level BPE spells the bytes that are no printable Latin-1 as U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}


_ALPHABET = _byte_alphabet()
_BYTE = re.compile("<0x([0-9A-Fa-f]{2})>")  # a piece that stands for one byte; <0xGG> is text


def _byte_level_bytes(piece: str) -> bytes:
    if all(c in _ALPHABET for c in piece):
        return bytes(_ALPHABET[c] for c in piece)
    return piece.encode()  # not of this alphabet: plain text


def _added_bytes(content: str, spell: Callable[[str], bytes]) -> bytes:
    """An added token is matched as plain text; in other alphabets its spaces stay spelt out."""
    return content.encode() if spell is _byte_level_bytes else spell(content)


def _metaspace_bytes(piece: str) -> bytes:
    if byte := _BYTE.fullmatch(piece):
        return bytes.fromhex(byte[1])
    return _plain_bytes(piece)


def _plain_bytes(piece: str) -> bytes:
    return piece.replace("\u2581", " ").encode()


def _wordpiece_bytes(piece: str) -> bytes:
    return piece[2:].encode() if piece.startswith("##") else (" " + piece).encode()


def as_tokens(ids: ArrayLike) -> NDArray[np.int64]:
    """Check token ids and return them as a flat int64 array.

    Raises
    ------
    TypeError
        When the ids are not integers.
    ValueError
        When they are not one-dimensional or one lies outside 0..2**32 - 2.
    """
    tokens = np.asarray(ids)
    if tokens.size == 0:
        return np.empty(0, np.int64)
    if tokens.ndim != 1:
        raise ValueError(f"token ids must form one flat sequence, not shape {tokens.shape}")
    if tokens.dtype.kind not in "iu":
        raise TypeError(f"token ids must be integers, not {tokens.dtype}")
    if int(tokens.min()) < 0 or int(tokens.max()) > MAX_TOKEN:
        where = int(np.flatnonzero((tokens < 0) | (tokens > MAX_TOKEN))[0])
        raise ValueError(f"token id {tokens[where]} at position {where} is outside 0..{MAX_TOKEN}")
    return tokens.astype(np.int64)
