"""Corpora as files of tokens, so that any training sequence can be read again by its number."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gim.errors import InputError
from gim.files import atomic_directory, file_digest, write_json
from gim.text.corpus import read_documents
from gim.text.fidelity import Fidelity
from gim.text.tokenizer import Tokenizer
from gim.training.settings import Data

_PUNCTUATION = re.compile(r"[^\w\s']|_")
_SPACE = re.compile(r"\s+")
_FLUSH = 1 << 22  # tokens held before they are written
SPLITS = ("train", "validation")


def plain(text: str) -> str:
    """``text`` in lower case, without punctuation, one space between words."""
    return _SPACE.sub(" ", _PUNCTUATION.sub(" ", text.lower())).strip()


@dataclass(frozen=True)
class TokenFile:
    """Tokens of many documents in a row, on disk.

    Attributes
    ----------
    ids : integer memory map of shape (n_tokens,)
    """

    ids: NDArray[np.integer]

    def batch(
        self, number: int, size: int, length: int, seed: int, together: int = 1
    ) -> NDArray[np.int64]:
        """Batch ``number``: ``size`` random sequences, shape (size, length + 1).

        The last token of a sequence is the first of the next where ``together`` of them follow
        one another. A batch depends on its number and the seed alone, so that training resumes at
        any step.
        """
        rng = np.random.default_rng([seed, number])
        starts = rng.integers(0, len(self.ids) - together * length, -(-size // together))
        starts = (starts[:, None] + length * np.arange(together)).ravel()[:size]
        return np.stack([self.ids[s : s + length + 1] for s in starts.tolist()]).astype(np.int64)


def token_files(
    data: Data, tokenizer: Tokenizer, seed: int, progress: bool = False
) -> dict[str, TokenFile]:
    """The corpora's tokens, split into "train" and "validation".

    They are written once, in bounded memory, into ``data.cache``.

    Raises
    ------
    InputError
        For an unreadable corpus, or one that is shorter than a sequence.
    """
    key = cache_key(data, tokenizer, seed)
    folder = Path(data.cache) / key
    if not (folder / "about.json").is_file():
        with atomic_directory(folder) as temporary:
            _write(temporary, data, tokenizer, seed, progress)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    found = {}
    for split in SPLITS:
        if about["tokens"][split] <= data.length * data.together:
            raise InputError(
                f"{', '.join(data.corpora)}: {about['tokens'][split]} tokens for {split}, "
                f"fewer than {data.together} sequences of {data.length}; give more text or a "
                "smaller hold_out"
            )
        ids = np.memmap(folder / f"{split}.bin", np.dtype(about["dtype"]), mode="r")
        found[split] = TokenFile(ids)
    return found


def cache_key(data: Data, tokenizer: Tokenizer, seed: int) -> str:
    """Name of the cache of tokens: it changes with everything that the tokens depend on."""
    digest = hashlib.sha256()
    for path in data.corpora:
        if not Path(path).is_file():
            raise InputError(f"{path}: no such corpus file; correct data.corpora")
        digest.update(file_digest(path).encode())
    digest.update(f"{tokenizer.fingerprint} {data.plain} {data.hold_out} {seed}".encode())
    return digest.hexdigest()[:16]


def _write(folder: Path, data: Data, tokenizer: Tokenizer, seed: int, progress: bool) -> None:
    dtype = np.dtype(np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32)
    rng = np.random.default_rng(seed)
    label = "tokens" if progress else None
    counts = dict.fromkeys(SPLITS, 0)
    waiting: dict[str, list[NDArray]] = {split: [] for split in SPLITS}
    files = {split: (folder / f"{split}.bin").open("wb") for split in SPLITS}
    fidelity = Fidelity(tokenizer)

    def flush(split: str) -> None:
        np.concatenate([np.empty(0, dtype), *waiting[split]]).tofile(files[split])
        waiting[split] = []

    try:
        for number, document in enumerate(read_documents(data.corpora, progress=label)):
            text = plain(document.text) if rng.random() < data.plain else document.text
            ids = tokenizer.encode(text + "\n\n").astype(dtype)
            fidelity.check(document.title, text + "\n\n", ids)
            split = SPLITS[number % data.hold_out == data.hold_out - 1]
            waiting[split].append(ids)
            counts[split] += len(ids)
            if sum(map(len, waiting[split])) > _FLUSH:
                flush(split)
        for split in SPLITS:
            flush(split)
    finally:
        for file in files.values():
            file.close()
    write_json(folder / "about.json", {"dtype": dtype.name, "tokens": counts})
