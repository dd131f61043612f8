"""Building an index part by part, and exact queries against the engine of the package.

Without a corpus, 0.98 M tokens of the dev sets: ``python -m benchmarks.infinigram``. With one, that
one, and queries of a text that it does not hold: ``python -m benchmarks.infinigram --corpus FILES
--text FILE --name NAME``. With ``--thrice`` it is made larger: every text once more in lower case
without punctuation, and once more with these words from the last to the first.
"""

import argparse
import json
import re
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.common import execute, need, seconds, timed, write
from benchmarks.exact import sample_ids
from gim._kernels import suffix_array
from gim.infinigram import index as indexing
from gim.infinigram.index import build_index
from gim.infinigram.kneser_ney import build_kneser_ney
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import Tokenizer, load_tokenizer

TOKENS = 1_000_000
HELD = 20_000  # tokens of queries
PARTS = {"_tokenise": "read and tokenise", "sort_suffixes": "sort", "verify_index": "verify"}
array: Any = suffix_array  # compiled functions carry no types


def cpu() -> float:
    """CPU seconds of this process and of the children that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """CPU seconds of the parts of `build_index`, filled in as they run."""
    spent: dict[str, float] = {}

    def watch(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            started = cpu()
            result = work(*args, **options)
            spent[PARTS[name]] = cpu() - started
            return result

        return run

    watches: Any = {name: watch(name, getattr(indexing, name)) for name in PARTS}
    with patch.multiple(indexing, **watches):
        yield spent


def sample(tokenizer: Tokenizer, folder: Path) -> tuple[list[Path], np.ndarray, str]:
    """A corpus of the dev sets, the tokens before it, and what it is."""
    ids, source = sample_ids(TOKENS)
    texts = [tokenizer.decode(part) for part in np.array_split(ids[HELD:], 200)]
    corpus = folder / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return [corpus], ids[:HELD], source


def thrice(corpus: list[Path], folder: Path) -> list[Path]:
    """A corpus of every text in three ways: three times the tokens, few passages twice."""
    larger = folder / "thrice.jsonl"
    with larger.open("w", encoding="utf-8") as file:
        for document in read_documents(corpus):
            words = re.findall("[a-z']+", document.text.lower())
            for text in (document.text, " ".join(words), " ".join(reversed(words))):
                file.write(json.dumps({"text": text}) + "\n")
    return [larger]


def held_text(path: str, tokenizer: Tokenizer) -> np.ndarray:
    """The first tokens of a file's documents."""
    parts, size = [], 0
    for document in read_documents([need(path, "give a text of your own")]):
        parts.append(tokenizer.encode(document.text))
        size += len(parts[-1])
        if size >= HELD:
            break
    return np.concatenate(parts)[:HELD]


def look_up(index: InfiniGram, held: np.ndarray) -> dict[str, float]:
    """Microseconds a position: of the longest suffixes, and of ranking by what followed besides."""
    targets = np.append(held[1:], -1)
    index.score(held[:50], targets[:50])
    shard, rows = index._shards[0], np.zeros((len(held), 3), np.int64)
    suffixes = shard.arrays[0], shard.arrays[1], shard.arrays[2], shard.firsts
    longest = seconds(lambda: array.longest_all(*suffixes, held, 1024, rows), 2)
    whole = seconds(lambda: index.score(held, targets, 1024), 2)
    return {
        "microseconds_per_position": 1e6 * whole / len(held),
        "microseconds_of_longest_suffixes": 1e6 * longest / len(held),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", nargs="+", help="files to index, instead of the dev sets")
    parser.add_argument("--text", help="file whose first tokens are the queries")
    parser.add_argument("--name", default="infinigram", help="of the record that is written")
    parser.add_argument("--thrice", action="store_true", help="each text in three ways")
    args = parser.parse_args()
    if bool(args.corpus) != bool(args.text):
        parser.error("--corpus and --text go together")
    tokenizer = load_tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        if args.corpus:
            corpus = [need(path, "give a corpus of your own") for path in args.corpus]
            held, source = held_text(args.text, tokenizer), ", ".join(p.name for p in corpus)
            if args.thrice:
                corpus, source = thrice(corpus, Path(folder)), f"{source}, each text in three ways"
        else:
            corpus, held, source = sample(tokenizer, Path(folder))
        _warm(tokenizer, Path(folder))
        before = cpu()
        with watched() as parts:
            description = build_index(corpus, tokenizer, Path(folder) / "index", progress=False)
        built = cpu() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        parts["tables of n-grams, made when first needed"], _ = timed(
            lambda: build_kneser_ney(Path(folder) / "index")
        )
        index = InfiniGram(Path(folder) / "index", tokenizer)
        figures = look_up(index, held)
        engine = index.engine()
        queries = [held[max(0, end - 64) : end].tolist() for end in range(100, HELD, 199)]
        slow = seconds(lambda: [engine.infgram_ntd(prompt_ids=q) for q in queries], 2)
    tokens, slow = description["tokens"], 1e6 * slow / len(queries)
    write(
        args.name,
        "exact Infini-Gram queries over a whole text (longest suffix, counts, rank)",
        "infgram_ntd of the package infini-gram at every position (queries of 64 tokens)",
        data=source,
        tokens=tokens,
        build_tokens_per_cpu_second=tokens / built,
        tokens_per_cpu_second={name: tokens / spent for name, spent in parts.items()},
        peak_bytes_of_memory=peak,
        bytes_per_token=sum(description["bytes"].values()) / tokens,
        **figures,
        alternative_microseconds_per_position=slow,
        ratio=slow / figures["microseconds_per_position"],
        limit="2 bytes of token and ceil(log2(bytes) / 8) bytes of table a token",
    )


def _warm(tokenizer: Tokenizer, folder: Path) -> None:
    """Compile, so that only work is counted."""
    (folder / "warm.txt").write_text("it was, it was, it was not " * 100)
    build_index([folder / "warm.txt"], tokenizer, folder / "warm", progress=False)
    build_kneser_ney(folder / "warm")


if __name__ == "__main__":
    execute(main)
