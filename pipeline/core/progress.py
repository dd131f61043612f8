"""Long work: cut into pieces that fit into memory, and how far it is (a bar, or lines in a log)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

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
    from tqdm import tqdm  # slow to import

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


def chunks(places: range, size: int) -> list[slice]:
    """Cut consecutive places into slices of at most `size`, in order.

    Parameters
    ----------
    places : range
        Voxels, or rows; of step 1.
    size : int
        Places of a slice; less than one counts as one.
    """
    size = max(size, 1)
    starts = range(places.start, places.stop, size)
    return [slice(start, min(start + size, places.stop)) for start in starts]
