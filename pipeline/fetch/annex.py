"""git-annex keys: what an annexed file must contain, read from the link or pointer to it.

See https://git-annex.branchable.com/internals/key_format/ and .../internals/pointer_file/.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gim.files import MAX_POINTER_BYTES

PIECE = 2**20  # bytes read at a time
_KEY = re.compile(
    r"(?P<backend>[A-Z0-9_]+)(?:-s(?P<size>[0-9]{1,18}))?(?:-[a-zA-Z][0-9]+)*--(?P<name>[^/\s]+)"
)
_OBJECT = re.compile(r"(?:^|/)annex/objects/(?:\S*/)?(?P<key>[^/\s]+)\s*\Z")
_BLAKE2B, _BLAKE2S = (160, 224, 256, 384, 512), (160, 224, 256)  # bits
_HASHES: dict[str, Callable[[], Any]] = {
    "MD5": partial(hashlib.md5, usedforsecurity=False),  # what ds003020's keys hold
    "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    **{f"SHA{bits}": getattr(hashlib, f"sha{bits}") for bits in (224, 256, 384, 512)},
    **{f"SHA3_{bits}": getattr(hashlib, f"sha3_{bits}") for bits in (224, 256, 384, 512)},
    **{f"BLAKE2B{n}": partial(hashlib.blake2b, digest_size=n // 8) for n in _BLAKE2B},
    **{f"BLAKE2S{n}": partial(hashlib.blake2s, digest_size=n // 8) for n in _BLAKE2S},
}


@dataclass(frozen=True)
class Key:
    """Size and checksum of a file's content.

    Parameters
    ----------
    name : str
        The key itself, as `MD5E-s1024--d41d8cd98f00b204e9800998ecf8427e.hf5`.
    backend : str
        Its kind, as `WORM`; of known checksums without the `E` of those that keep the file's
        suffix: `MD5`, `SHA256`.
    size : int or None
        Bytes; None if the key does not say.
    digest : str
        Hexadecimal checksum, where the kind has one.
    """

    name: str
    backend: str
    size: int | None
    digest: str

    @classmethod
    def parse(cls, name: str) -> Key | None:
        """The key of this name; None if it is not one."""
        found = _KEY.fullmatch(name)
        if not found:
            return None
        size = int(found["size"]) if found["size"] else None
        digest = found["name"].split(".")[0].lower()
        backend = found["backend"].removesuffix("E")
        return cls(name, backend if backend in _HASHES else found["backend"], size, digest)

    @property
    def doubt(self) -> str:
        """Why this project cannot tell the content by its key; empty if it can."""
        if self.backend not in _HASHES:
            return f"a key of the kind {self.backend} holds no checksum that is known here"
        return "the key does not say how large the file is" if self.size is None else ""

    def fits(self, path: Path) -> bool:
        """Whether a file has the key's size and checksum, where the key has them.

        The file is read a piece at a time.
        """
        if self.size is not None and path.stat().st_size != self.size:
            return False
        if self.backend not in _HASHES:
            return True
        with path.open("rb") as file:
            return hashlib.file_digest(file, _HASHES[self.backend]).hexdigest() == self.digest


def key_in(text: str | bytes) -> Key | None:
    """The key that a pointer's text, or the target of an annexed file's link, names."""
    if len(text) > MAX_POINTER_BYTES:
        return None
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    found = _OBJECT.search(text.split("\n", 1)[0])
    return Key.parse(found["key"]) if found else None


def local_key(path: Path) -> Key | None:
    """The key of a file in a clone, be it fetched or not; None if nothing here says one."""
    if path.is_symlink():
        return key_in(os.readlink(path))
    if path.is_file() and path.stat().st_size <= MAX_POINTER_BYTES:
        return key_in(path.read_bytes())
    return None
