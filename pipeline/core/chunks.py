"""Long arrays in pieces: what fits into memory at a time."""

from __future__ import annotations


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
