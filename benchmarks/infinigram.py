"""Building an index, and exact queries against the engine of the package."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import execute, seconds, write
from benchmarks.exact import sample_ids
from gim.infinigram.index import build_index
from gim.infinigram.query import InfiniGram
from gim.text.tokenizer import load_tokenizer

TOKENS = 1_000_000


def main() -> None:
    tokenizer = load_tokenizer()
    ids, source = sample_ids(TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder) / "corpus.jsonl", Path(folder) / "index"
        texts = [tokenizer.decode(part) for part in np.array_split(ids[20_000:], 200)]
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        started = time.perf_counter()
        description = build_index([corpus], tokenizer, out, progress=False)
        built = time.perf_counter() - started
        index = InfiniGram(out, tokenizer)
        held = ids[:20_000]
        targets = np.append(held[1:], -1)
        index.score(held[:50], targets[:50])
        fast = seconds(lambda: index.score(held, targets, 1024), 2) / len(held)
        engine = index.engine()
        queries = [held[max(0, end - 64) : end].tolist() for end in range(100, 20_000, 199)]
        slow = seconds(lambda: [engine.infgram_ntd(prompt_ids=q) for q in queries], 2)
        slow /= len(queries)
    size = sum(description["bytes"].values())
    write(
        "infinigram",
        "exact Infini-Gram queries over a whole text (longest suffix, counts, rank)",
        "infgram_ntd of the package infini-gram at every position (queries of 64 tokens)",
        data=source,
        tokens=description["tokens"],
        build_tokens_per_second=description["tokens"] / built,
        sort_seconds=description["seconds"]["sort"],
        bytes_per_token=size / description["tokens"],
        microseconds_per_position=1e6 * fast,
        alternative_microseconds_per_position=1e6 * slow,
        ratio=slow / fast,
        limit="2 bytes of token and ceil(log2(bytes) / 8) bytes of table a token",
    )


if __name__ == "__main__":
    execute(main)
