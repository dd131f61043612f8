"""Progress of long work: a bar on a terminal, lines in a log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
LINES = 10  # lines a loop leaves in a log


def track(items: Iterable[T], title: str) -> Iterator[T]:
    """Yield `items`, showing how far they are.

    A log gets `LINES` lines, or, where `items` has no length, one whenever the number has doubled.

    Parameters
    ----------
    items : iterable
        What to loop over.
    title : str
        What is being done.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, desc=title, leave=False)
        return
    total = len(items) if isinstance(items, Sized) else None
    due, done = (max(total // LINES, 1) if total else 1), 0
    step = due
    for done, item in enumerate(items, start=1):
        yield item
        if done in (due, total):
            logging.info("%s: %d%s", title, done, f" of {total}" if total else "")
            due += step if total else done
    if not total:
        logging.info("%s: %d, done", title, done)
