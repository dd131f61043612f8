"""Which of several counts that should be equal is the odd one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pipeline.core.errors import some


def odd_ones(counts: Mapping[str, int]) -> tuple[list[str], str]:
    """Who has another count than most; all of them where no count is that of more than half.

    Parameters
    ----------
    counts : mapping of str to int
        By name.

    Returns
    -------
    odd : list of str
        Empty where all agree.
    said : str
        Every count and who has it, the most frequent first.
    """
    found = Counter(counts.values())
    said = "; ".join(
        f"{count} in {some(name for name, own in counts.items() if own == count)}"
        for count, _ in found.most_common()
    )
    if len(found) < 2:
        return [], said
    usual, n_usual = found.most_common(1)[0]
    is_usual = 2 * n_usual > len(counts)
    return [name for name, count in counts.items() if not is_usual or count != usual], said
