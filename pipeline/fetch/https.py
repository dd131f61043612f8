"""Download a file: resumed where it stopped, verified before it takes its name."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from pipeline.config.addresses import is_safe
from pipeline.core.errors import Problem, ProblemError
from pipeline.core.files import SUFFIX, file_problem
from pipeline.fetch.annex import PIECE, Key
from pipeline.fetch.part import opened, partial

ATTEMPTS = 5  # in a row without a byte more
WAIT = 2.0  # seconds before the second attempt, doubled for each further one
TIMEOUT = (20, 60)  # seconds to connect, and between bytes
MAX_IN_GIT = 100 * 2**20  # bytes of a file without a key; GitHub takes no larger ones into git
_AGAIN = "run it again: it goes on where it stopped"


def download(
    url: str,
    target: Path,
    key: Key | None,
    progress: Callable[[int], object] = lambda n_bytes: None,
) -> None:
    """Download a file.

    What has come is kept in `.NAME.part` beside the target, from which a later call goes on (HTTP
    Range). The target appears when its size and checksum are those of the key; another file that
    was there is kept as `NAME.damaged`. No more is taken than the key says, or `MAX_IN_GIT` bytes.

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
        If the server refuses or sends too much, the connection keeps dropping or is not safe, or
        the content is not the key's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened(target) as part:
        if key is not None and target.is_file() and key.fits(target):
            progress(key.size or 0)  # another download was faster
            return
        if key is None:  # nothing would tell whether the rest of it fits
            part.truncate(0)
        # What was left of an earlier call may itself be damaged: then once more from the start.
        for _ in range(2 if _size(part) else 1):
            _receive(url, target, part, key, progress)
            if key is None or key.fits(partial(target)):
                _keep_other(target, key)
                os.replace(partial(target), target)
                return
            progress(-_size(part))
            part.truncate(0)
    assert key is not None, "without a key whatever comes is taken"
    what = f"what the server sent is not {key.name}"
    remedy = "update the clone (`git pull`), as the server may have a newer version; then try again"
    raise ProblemError(Problem(target, url, what, remedy))


@contextmanager
def ask(url: str, **headers: str) -> Iterator[requests.Response]:
    """The answer to a request, whose body is yet to be read from `raw`.

    Raises
    ------
    ProblemError
        If it leads to an address that is not safe, or the server's certificate is not valid.
    requests.RequestException
        If there is no answer.
    """
    headers = {"Accept-Encoding": "identity", **headers}
    try:
        with (
            _Session() as session,
            session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer,
        ):
            yield answer
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):  # the connection broke off
            raise
        what = f"the server's certificate is not accepted ({error})"
        remedy = (
            "check the address and this machine's clock; behind a proxy of your institution "
            "set REQUESTS_CA_BUNDLE to its certificates"
        )
        raise ProblemError(Problem(url, "", what, remedy)) from error


class _Session(requests.Session):
    """A session that is not led from a safe address to an unsafe one."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer sends us, None if nowhere."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        address = urljoin(resp.url, target)
        schemes = urlsplit(resp.url).scheme, urlsplit(address).scheme
        if not is_safe(address) or schemes == ("https", "http"):
            what = f"the server sends us on to {address}, where anybody could change the files"
            remedy = "give an address that stays with https"
            raise ProblemError(Problem(resp.url, "", what, remedy))
        return target


def _keep_other(target: Path, key: Key | None) -> None:
    """Rename a file that is about to be replaced; git-annex has its own objects by their keys."""
    aside = target.with_name(target.name + SUFFIX)
    is_object = key is not None and target.name == key.name
    if not is_object and not aside.exists() and file_problem(target) is None:
        os.replace(target, aside)
        logging.warning("%s: it is not what the dataset has, kept as %s", target, aside.name)


def _size(part: BinaryIO) -> int:
    return part.seek(0, os.SEEK_END)


def _receive(
    url: str, target: Path, part: BinaryIO, key: Key | None, progress: Callable[[int], object]
) -> None:
    """Complete the partial file, trying again when the connection drops."""
    limit = MAX_IN_GIT if key is None or key.size is None else key.size
    failures = 0
    while key is None or _size(part) < limit:
        before = _size(part)
        try:
            _append(url, target, part, limit, progress)
        except requests.HTTPError as error:
            status = error.response.status_code
            if status < 500 and status not in (408, 429):
                what, remedy = (
                    f"the server answers {status}",
                    "check the address and the file's name",
                )
                raise ProblemError(Problem(target, url, what, remedy)) from error
            failure: Exception = error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = error
        else:
            if key is None or _size(part) == limit:
                return
            failure = ConnectionError(f"{_size(part)} of {limit} bytes came")
        failures = failures + 1 if _size(part) <= before else 1
        if failures >= ATTEMPTS:
            what = f"the connection dropped {failures} times in a row ({failure})"
            raise ProblemError(Problem(target, url, what, _AGAIN)) from failure
        logging.info("%s: dropped at %d bytes, trying again", url, _size(part))
        time.sleep(WAIT * 2 ** (failures - 1))


def _append(
    url: str, target: Path, part: BinaryIO, limit: int, progress: Callable[[int], object]
) -> None:
    """Ask for what is missing, and write what comes."""
    have = _size(part)
    with ask(url, **({"Range": f"bytes={have}-"} if have else {})) as answer:
        out_of_range = answer.status_code == requests.codes.requested_range_not_satisfiable
        if not out_of_range:
            answer.raise_for_status()
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and (out_of_range or not goes_on):  # the server sends it whole, now or next time
            progress(-have)
            part.truncate(0)
            have = part.seek(0)
        if out_of_range:
            return
        # read1 gives what there is: a full piece would be lost with the connection.
        while piece := answer.raw.read1(PIECE):
            have += len(piece)
            if have > limit:
                part.truncate(0)
                what = f"the server sends more than the {limit} bytes that it should have"
                raise ProblemError(
                    Problem(target, url, what, "check the address, update the clone")
                )
            part.write(piece)
            progress(len(piece))
        part.flush()
