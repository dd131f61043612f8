"""Download a file: resumed where it stopped, verified before it takes its name."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import requests
import urllib3

from pipeline.core.errors import Problem, ProblemError
from pipeline.fetch.annex import PIECE, Key

ATTEMPTS = 5  # in a row without a byte more
WAIT = 2.0  # seconds before the second attempt, doubled for each further one
TIMEOUT = (20, 60)  # seconds to connect, and between bytes
_AGAIN = "run it again: it goes on where it stopped"


def download(
    url: str,
    target: Path,
    key: Key | None,
    progress: Callable[[int], object] = lambda n_bytes: None,
) -> None:
    """Download a file.

    What has come is kept in `.NAME.part` beside the target, from which a later call goes on (HTTP
    Range). The target appears when its size and checksum are those of the key.

    Parameters
    ----------
    url : str
        Where from.
    target : Path
        Where to.
    key : Key or None
        What the content must be; None, nothing is known of it.
    progress : callable
        Told how many bytes have come, negative when some had to be thrown away.

    Raises
    ------
    ProblemError
        If the server refuses, the connection keeps dropping, or the content is not the key's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = partial(target)
    if key is None:  # nothing would tell whether the rest of it fits
        part.unlink(missing_ok=True)
    # What was left of an earlier call may itself be damaged: then once more from the start.
    for _ in range(2 if part.exists() else 1):
        _receive(url, part, key, progress)
        if key is None or key.fits(part):
            os.replace(part, target)
            return
        progress(-size_of(part))
        part.unlink()
    what = f"what the server sent is not {key.name}" if key else ""
    remedy = "update the clone (`git pull`), as the server may have a newer version; then try again"
    raise ProblemError(Problem(target, url, what, remedy))


def partial(target: Path) -> Path:
    """Where what has come of a file is kept."""
    return target.with_name(f".{target.name}.part")


def size_of(path: Path) -> int:
    """Bytes of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def _receive(url: str, part: Path, key: Key | None, progress: Callable[[int], object]) -> None:
    """Complete the partial file, trying again when the connection drops."""
    failures = 0
    while key is None or size_of(part) < key.size or not part.exists():
        before = size_of(part)
        try:
            _append(url, part, progress)
        except requests.HTTPError as error:
            status = error.response.status_code
            if status < 500 and status not in (408, 429):
                what, remedy = (
                    f"the server answers {status}",
                    "check the address and the file's name",
                )
                raise ProblemError(Problem(part, url, what, remedy)) from error
            failure: Exception = error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = error
        else:
            if key is None or size_of(part) >= key.size:
                return
            failure = ConnectionError(f"{size_of(part)} of {key.size} bytes came")
        failures = failures + 1 if size_of(part) <= before else 1
        if failures >= ATTEMPTS:
            what = f"the connection dropped {failures} times in a row ({failure})"
            raise ProblemError(Problem(part, url, what, _AGAIN)) from failure
        logging.info("%s: dropped at %d bytes, trying again", url, size_of(part))
        time.sleep(WAIT * 2 ** (failures - 1))


def _append(url: str, part: Path, progress: Callable[[int], object]) -> None:
    """Ask for what is missing, and write what comes."""
    have = size_of(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            progress(-have)
            part.unlink()
            return
        answer.raise_for_status()
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not goes_on:  # the server sends it whole
            progress(-have)
        with part.open("ab" if goes_on else "wb") as file:
            # read1 gives what there is: a full piece would be lost with the connection.
            while piece := answer.raw.read1(PIECE):
                file.write(piece)
                progress(len(piece))
