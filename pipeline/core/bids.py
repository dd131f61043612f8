"""Names of files as BIDS has them: entities in a fixed order, then what is in the file."""

from __future__ import annotations

# The order of the specification; `minus`, `band`, `stat` and `q` are not of it, and stand before
# the last.
ORDER = ("sub", "hemi", "space", "chunk", "den", "minus", "band", "stat", "q", "desc")


def bids_stem(**entities: str | None) -> str:
    """The start of a name, `sub-X_stat-r_desc-M`, of entities that have a value.

    Parameters
    ----------
    **entities : str or None
        Alphanumeric labels by the short names of their entities, in any order.

    Examples
    --------
    >>> bids_stem(sub="01", desc="gim", stat="r", minus=None)
    'sub-01_stat-r_desc-gim'
    """
    named = [f"{key}-{entities[key]}" for key in ORDER if entities.get(key)]
    if unknown := set(entities) - set(ORDER):
        raise ValueError(f"no entity of the results: {', '.join(sorted(unknown))}")
    return "_".join(named)


def with_entities(stem: str, **entities: str | None) -> str:
    """The same start of a name with further entities, each in its place."""
    pairs = (part.split("-", 1) for part in stem.split("_"))
    return bids_stem(**(dict(pairs) | entities))
