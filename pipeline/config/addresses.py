"""What leaves this machine when a configuration is fetched, and to where.

A configuration may come from somebody else. Only what is written in it may be sent: the value of a
variable (`$TOKEN`) never is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

ADDRESSES = ("files", "pointers")  # keys of `fetch`
IN_DATASET = ("transcripts.path", "responses.path", "responses.volumes")  # always under data_root
# What is never fetched, wherever it lies.
KEPT = ("regions.", "training.", "mask.pycortex.", "lm.train", "lm.evaluate", "lm.encoder")
ON_HUB = ("model", "tokenizer", "models")  # keys that may name a model on the hub


def is_safe(address: str) -> bool:
    """Whether what comes from an address is what was sent: https, or http on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host)))


def unsafe_addresses(fetch: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Place, problem and remedy of addresses under `fetch` that anybody on the way could change."""
    for key in ADDRESSES:
        if not is_safe(fetch[key]):
            what = f"{fetch[key]!r} is no address that begins with https://"
            yield f"fetch.{key}", what, "give one (http:// is for this machine's own server only)"


def sent_variables(
    place: str, written: str, path: str, root: str
) -> Iterator[tuple[str, str, str]]:
    """Place, problem and remedy where an address would hold what a variable stands for.

    Parameters
    ----------
    place : str
        Key of the configuration.
    written, path : str
        What it holds, and the same with ~ and variables replaced.
    root : str
        `data_root` with variables replaced.
    """
    sent = _sent(place, Path(path), Path(root))
    if sent and not f"/{PurePosixPath(written)}".endswith(f"/{sent}"):
        what = f"an address would hold what the variables in {written!r} stand for"
        yield place, what, "write it out, with a variable only for data_root at its beginning"


def _sent(place: str, path: Path, root: Path) -> str:
    """The part of a path, if any, that is asked for under an address, or a model's name."""
    if place.startswith(KEPT):
        return ""
    if place in IN_DATASET:
        path = root / path
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    is_name = place.partition("[")[0].rpartition(".")[2] in ON_HUB
    return path.as_posix() if is_name and not path.is_absolute() else ""


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
