"""Train a byte-level BPE: ``python -m gim.text.train_tokenizer CORPUS... --out FILE``."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from gim.files import atomic_file
from gim.text.corpus import read_documents

VOCABULARY = 16_384


def train(paths: list[str], out: Path, vocab_size: int, characters: int) -> None:
    """Train on the first ``characters`` of each file, which makes the result reproducible."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    def texts() -> Iterator[str]:
        for path in paths:
            left = characters
            for document in read_documents([path], progress=Path(path).name):
                yield document.text[:left]
                left -= len(document.text)
                if left <= 0:
                    break

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts(), trainer)
    with atomic_file(out) as temporary:
        tokenizer.save(str(temporary), pretty=False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--characters", type=int, default=20_000_000, help="per corpus file")
    args = parser.parse_args()
    train(args.corpora, args.out, args.vocabulary, args.characters)


if __name__ == "__main__":
    main()
