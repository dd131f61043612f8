"""Progress of long work: a bar on a terminal, lines in a log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
LINES = 10  # lines a loop leaves in a log


def track(items: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Yield `items`, showing how far they are.

    Parameters
    ----------
    items : iterable
        What to loop over.
    title : str
        What is being done.
    total : int, optional
        Number of items, where `items` has no length.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, desc=title, total=total, leave=False)
        return
    total = total if total is not None else len(items)  # type: ignore[arg-type]
    step = max(total // LINES, 1)
    for done, item in enumerate(items, start=1):
        yield item
        if done % step == 0 or done == total:
            logging.info("%s: %d of %d", title, done, total)
