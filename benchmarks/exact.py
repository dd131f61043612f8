"""Exact induction against rebuilding a suffix array of the context at every step."""

from collections import Counter
from functools import partial

import numpy as np

from benchmarks.common import execute, seconds, shared_folder, write
from gim.induction.exact import ExactInduction
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer

CONTEXT = 1024


def sample_ids(n: int) -> tuple[np.ndarray, str]:
    """Tokens of real text where there is any, else of a random vocabulary with Zipf's law."""
    folder = shared_folder()
    if folder is not None:
        tokenizer, parts, size = load_tokenizer(), [], 0
        corpora = [folder / "corpora" / f"{c}.dev.jsonl.xz" for c in ("wikipedia", "gutenberg")]
        for document in read_documents(corpora):
            parts.append(tokenizer.encode(document.text))
            size += len(parts[-1])
            if size >= n:
                break
        return np.concatenate(parts)[:n], "wikipedia and gutenberg, dev split"
    p = 1 / np.arange(1, 16_385)
    return np.random.default_rng(0).choice(16_384, n, p=p / p.sum()), "random, Zipf's law"


def rebuild_plainly(context: np.ndarray) -> tuple[int, dict[int, int]]:
    """Sort whole suffixes with Python's sort; the longest match is a neighbour of the end's rank.

    The last token's suffixes are searched among the prefixes that end there, so the text is read
    backwards: a suffix of the context is then a prefix of the reversed text.
    """
    data, n = context[::-1].astype(">u4").tobytes(), len(context)
    order = sorted(range(n), key=lambda i: data[4 * i :])
    rank = order.index(0)  # the whole reversed context
    near = [order[r] for r in (rank - 1, rank + 1) if 0 <= r < n]
    length = max((_shared(data, i) for i in near), default=0)
    low = high = rank
    while low > 0 and _shared(data, order[low - 1]) >= length:
        low -= 1
    while high + 1 < n and _shared(data, order[high + 1]) >= length:
        high += 1
    # Position i of the reversed text ends a match; what followed it is at i - 1.
    places = [n - 1 - (i - 1) for i in order[low : high + 1] if i > 0]
    followers = context[places] if length else context
    return length, dict(Counter(followers.tolist()))


def _shared(data: bytes, i: int) -> int:
    """Tokens that the reversed text shares with its own suffix at token i."""
    length, n = 0, len(data) // 4
    while i + length < n and data[4 * length : 4 * length + 4] == data[4 * (i + length) :][:4]:
        length += 1
    return length


def rebuild(context: np.ndarray) -> tuple[int, dict[int, int]]:
    """Sort all suffixes, find the longest earlier match of the end by bisection, count followers.

    Plain, with NumPy's sort of byte strings: suffixes are cut at 64 bytes for sorting, which is
    longer than nearly any match, so that this alternative is not slowed down by long comparisons.
    """
    data = context.astype(">u4").tobytes()
    n = len(context)
    body = data + b"\0" * 64
    suffixes = np.array([body[4 * i : 4 * i + 64] for i in range(n)], dtype="S64")
    order = np.argsort(suffixes[:-1], kind="stable")
    ranked = suffixes[:-1][order]
    low, high, found = 0, min(15, n - 1), (0, 0, 0)
    while low < high:  # the longest suffix that occurs earlier
        length = (low + high + 1) // 2
        key = data[-4 * length :]
        left = int(np.searchsorted(ranked, np.bytes_(key)))
        top = np.bytes_(key + b"\xff" * (64 - len(key)))
        right = int(np.searchsorted(ranked, top, "right"))
        places = order[left:right]
        if np.any(places + length < n):
            low, found = length, (length, left, right)
        else:
            high = length - 1
    length, left, right = found
    places = order[left:right] + length if length else np.arange(n)
    ids, counts = np.unique(context[places[places < n]], return_counts=True)
    return length, dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _consume(ids: np.ndarray) -> None:
    ExactInduction().extend(ids)


def main() -> None:
    ids, source = sample_ids(100_000)
    induction = ExactInduction(CONTEXT)
    induction.score(ids[:100], ids[1:101])  # compile
    sample = np.arange(CONTEXT, 20_000, 379)
    for end in sample[:20]:  # the alternative is right where no match exceeds its 15 tokens
        fresh = ExactInduction()
        fresh.extend(ids[end - CONTEXT : end])
        length, counts = rebuild(ids[end - CONTEXT : end])
        expected = dict(zip(*(a.tolist() for a in fresh.counts()), strict=True))
        assert rebuild_plainly(ids[end - CONTEXT : end]) == (fresh.suffix_len, expected)
        if fresh.suffix_len < 15:
            assert (length, counts) == (fresh.suffix_len, expected)
    contexts = [ids[end - CONTEXT : end] for end in sample]
    targets = np.append(ids[1:], -1)
    runs = {
        "plain": (lambda: [rebuild_plainly(c) for c in contexts], len(contexts)),
        "numpy": (lambda: [rebuild(c) for c in contexts], len(contexts)),
        "fast": (lambda: ExactInduction(CONTEXT).score(ids, targets), len(ids)),
        "only": (lambda: ExactInduction(CONTEXT).extend(ids), len(ids)),
    }
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(8):  # in turn, because the machine's speed changes with its other work
        for name, (run, positions) in runs.items():
            best[name] = min(best[name], seconds(run, 1) / positions)
    plain, slow, fast, only = best.values()
    growth = {}
    for n in (1_000, 10_000, 100_000):
        part, repeats = ids[:n], max(3, 30_000 // n)
        growth[n] = 1e6 * seconds(partial(_consume, part), repeats) / n
    write(
        "exact",
        f"exact induction with a context of {CONTEXT} tokens: consume, count, rank the next token",
        "sort the suffixes of the context anew at every position: plainly, and with NumPy's sort",
        data=source,
        microseconds_per_position=1e6 * fast,
        microseconds_without_ranking=1e6 * only,
        alternative_microseconds_per_position=1e6 * plain,
        ratio=plain / fast,
        numpy_alternative_microseconds_per_position=1e6 * slow,
        numpy_ratio=slow / fast,
        ratio_wanted=1000,
        ratio_to_the_authors_1750_microseconds=1750 / (1e6 * fast),
        unlimited_context_microseconds_per_token=growth,
        limit="a random access to memory or two for each token, about 0.2 microseconds",
    )


if __name__ == "__main__":
    execute(main)
