"""Bits a byte of PPM (PPMd, variant H) primed with training text: ``python -m benchmarks.ppm``.

Needs the extra `bench`. The compressor reads 20 MB of a corpus's train split, then the documents
of its dev split one after another; those teach it for the next ones, which is in its favour.
"""

from itertools import islice
from pathlib import Path

from benchmarks.common import corpora, execute, write
from gim.text.corpus import read_documents

CORPORA = ("gutenberg", "wikipedia", "ted")
PRIME = 20_000_000  # bytes
ORDER, MEMORY = 6, 1 << 29
DOCUMENTS = 48


def main() -> None:
    shared = corpora()
    found = {corpus: bits_per_byte(shared / "corpora", corpus) for corpus in CORPORA}
    write(
        "ppm",
        f"bits a byte of PPMd, order {ORDER}, primed with {PRIME // 10**6} MB of the train split",
        "none: it is what others are compared with",
        documents=DOCUMENTS,
        **found,
    )


def bits_per_byte(folder: Path, corpus: str) -> float:
    """Of the first documents of a dev split."""
    import pyppmd

    encoder, left = pyppmd.Ppmd7Encoder(ORDER, MEMORY), PRIME
    for document in read_documents([folder / f"{corpus}.train.jsonl.xz"]):
        text = document.text.encode()[:left]
        encoder.encode(text)
        left -= len(text)
        if left <= 0:
            break
    read = written = 0
    for document in islice(read_documents([folder / f"{corpus}.dev.jsonl.xz"]), DOCUMENTS):
        text = document.text.encode()
        read += len(text)
        written += len(encoder.encode(text))
    return 8 * (written + len(encoder.flush())) / read


if __name__ == "__main__":
    execute(main)
