"""Drafting alone, without a language model: ``python -m benchmarks.drafting``.

On a real text, a draft after every token: microseconds a call and a drafted token, against a stream
that is copied and asked token by token, and against suffix decoding re-implemented plainly.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.common import corpora, execute, seconds, write
from benchmarks.suffix_decoding import SuffixDecoding
from gim.decoding.costs import ASSUMED
from gim.decoding.drafts import CopyDraft, StreamDraft
from gim.induction.model import GIM
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer

BEFORE, TOKENS, LENGTH = 1024, 256, 8


def main() -> None:
    shared = corpora()
    tokenizer, wanted = load_tokenizer(str(shared / "tokenizers" / "gpt2")), BEFORE + TOKENS
    texts = (
        tokenizer.encode(document.text[: 8 * wanted])
        for document in read_documents([str(shared / "corpora" / "wikipedia.dev.jsonl.xz")])
    )
    ids = next(islice((t for t in texts if len(t) >= wanted), 1))[:wanted]
    drafts: dict[str, tuple[Callable[[], Any], Any]] = {
        "copy, whole": (lambda: CopyDraft(), None),
        "copy, as long as pays": (lambda: CopyDraft(), ASSUMED),
        "stream copied and asked, whole": (lambda: StreamDraft(GIM(tokenizer)), None),
        "suffix decoding, plain": (lambda: SuffixDecoding(), None),
    }
    rows: dict[str, list[dict[str, Any]]] = {}
    for text, tokens in {"wikipedia": ids, "repetitive": np.resize(ids[:300], len(ids))}.items():
        rows[text] = [{"draft": name, **_measure(*d, tokens)} for name, d in drafts.items()]
    copy, _, stream, _ = rows["wikipedia"]
    write(
        "drafting",
        f"a draft of at most {LENGTH} tokens after each of {TOKENS} tokens, context {BEFORE}",
        "the same drafts by a stream that is copied and asked for its prediction token by token",
        rows=rows,
        ratio=stream["us_a_call"] / copy["us_a_call"],
    )


def _measure(make: Callable[[], Any], costs: Any, ids: np.ndarray) -> dict[str, float]:
    draft, rng = make(), np.random.default_rng(0)
    draft.extend(ids[:BEFORE].tolist())
    rest, drafted, compiled = iter(ids[BEFORE:].tolist()), 0, 8

    def step(n: int) -> int:
        made = 0
        for token in islice(rest, n):
            made += len(draft.propose(LENGTH, costs, rng).tokens)
            draft.extend([token])
        return made

    step(compiled)

    def run() -> None:
        nonlocal drafted
        drafted = step(TOKENS)

    taken, calls = seconds(run, repeats=1), TOKENS - compiled
    return {
        "us_a_call": 1e6 * taken / calls,
        "drafted_a_call": drafted / calls,
        "us_a_drafted_token": 1e6 * taken / max(drafted, 1),
    }


if __name__ == "__main__":
    execute(main)
