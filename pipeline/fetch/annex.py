"""git-annex keys: what an annexed file must contain, read from the link or pointer to it.

See https://git-annex.branchable.com/internals/key_format/ and .../internals/pointer_file/.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from gim.files import MAX_POINTER_BYTES

PIECE = 2**20  # bytes read at a time
_KEY = re.compile(r"(?P<backend>[A-Z0-9_]+)-s(?P<size>\d+)(?:-[a-zA-Z]\d+)*--(?P<name>[^/\s]+)")
_OBJECT = re.compile(r"(?:^|/)annex/objects/(?:\S*/)?(?P<key>[^/\s]+)\s*\Z")
_DIGESTS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}


@dataclass(frozen=True)
class Key:
    """Size and checksum of a file's content.

    Parameters
    ----------
    name : str
        The key itself, as `MD5E-s1024--d41d8cd98f00b204e9800998ecf8427e.hf5`.
    size : int
        Bytes.
    algorithm : str or None
        Name in `hashlib`; None if the key holds no checksum (as of the backends WORM and URL).
    digest : str
        Hexadecimal checksum.
    """

    name: str
    size: int
    algorithm: str | None
    digest: str

    @classmethod
    def parse(cls, name: str) -> Key | None:
        """The key of this name; None if it is not one, or does not state a size."""
        found = _KEY.fullmatch(name)
        if not found:
            return None
        algorithm = _DIGESTS.get(found["backend"].removesuffix("E"))
        return cls(name, int(found["size"]), algorithm, found["name"].split(".")[0].lower())

    def fits(self, path: Path) -> bool:
        """Whether a file has the key's size and checksum; it is read a piece at a time."""
        if path.stat().st_size != self.size:
            return False
        if self.algorithm is None:
            return True
        with path.open("rb") as file:
            return hashlib.file_digest(file, self.algorithm).hexdigest() == self.digest


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
