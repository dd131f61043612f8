"""Progress of long work: a bar on a terminal, now and then a line in a log."""

import sys
from typing import Any

from tqdm import tqdm

SECONDS = 30.0  # between two lines of a log


class _Lines:
    """Standard error as tqdm writes to it, each state of the bar on a line of its own."""

    def write(self, text: str) -> None:
        if text.strip():
            sys.stderr.write(text.strip() + "\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress_bar(items: Any = None, **options: Any) -> tqdm:
    """A `tqdm` bar; where standard error is no terminal, a line every half minute and at the end.

    Parameters
    ----------
    items : iterable, optional
    **options
        As for `tqdm.tqdm`.
    """
    if not sys.stderr.isatty():
        options |= {"file": _Lines(), "mininterval": SECONDS, "miniters": 1}
    return tqdm(items, **options)
