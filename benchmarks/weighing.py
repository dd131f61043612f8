"""Weighing evidence over the whole vocabulary: ``python -m benchmarks.weighing INDEX FILE``.

The index is of a large corpus, the file a text that it does not hold; GPT-2's tokenizer.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.common import corpora, execute, seconds, timed, write
from gim.errors import InputError
from gim.infinigram.kneser_ney import FOLDER, KneserNey, build_kneser_ney
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer
from gim.weighing.model import WeightedGIM

POSITIONS = 2_000
CONTEXT = 1_024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    parser.add_argument("file", help="text that the index does not hold")
    args = parser.parse_args()
    shared = corpora()
    tokenizer = load_tokenizer(str(shared / "tokenizers" / "gpt2"))
    index = InfiniGram(args.index, tokenizer)
    build, description = timed(lambda: build_kneser_ney(args.index))
    model = WeightedGIM(tokenizer, index, None, window=CONTEXT)
    ids = _long_text(args.file, tokenizer)
    targets = np.append(ids[1:], -1)
    targets[: CONTEXT - 1] = -1
    model.score(ids[: CONTEXT + 8], targets[: CONTEXT + 8])  # compile, and read the tables
    batch = seconds(lambda: model.score(ids, targets)) / (targets >= 0).sum()
    ngrams = KneserNey(args.index)
    contexts = [ids[i - 4 : i] for i in range(4, POSITIONS)]
    alone = seconds(lambda: [ngrams.distribution(c) for c in contexts]) / len(contexts)
    folder = Path(args.index) / FOLDER
    size = sum(part.stat().st_size for part in folder.iterdir())
    write(
        "weighing",
        "the mixture without an encoder, every position ranked over the whole vocabulary",
        "its n-grams alone, the distribution over the whole vocabulary",
        data=f"{Path(args.index).name}, {Path(args.file).name}",
        vocabulary=tokenizer.vocab_size,
        positions=int((targets >= 0).sum()),
        milliseconds_per_position=1e3 * batch,
        milliseconds_per_streamed_token=1e3 * _streamed(model, ids),
        alternative_milliseconds_per_position=1e3 * alone,
        ratio=batch / alone,
        ngrams=description["ngrams"],
        build_seconds=build,
        bytes_per_token_of_ngrams=size / index.n_tokens,
        limit="a pass over the vocabulary for each of mixing, the best token, and the rank",
    )


def _long_text(file: str, tokenizer: object) -> np.ndarray:
    for document in islice(read_documents([file]), 1000):
        ids = tokenizer.encode(document.text)  # type: ignore[attr-defined]
        if len(ids) >= CONTEXT + POSITIONS:
            return ids[: CONTEXT + POSITIONS]
    raise InputError(f"{file}: no document of {CONTEXT + POSITIONS} tokens among the first 1,000")


def _streamed(model: WeightedGIM, ids: np.ndarray) -> float:
    """Seconds to consume a token and give the distribution of the next."""
    stream = model.stream()
    stream.extend(ids[:CONTEXT])

    def read() -> None:
        for token in ids[CONTEXT:].tolist():
            stream.push(token)
            stream.distribution()

    return timed(read)[0] / (len(ids) - CONTEXT)


if __name__ == "__main__":
    execute(main)
