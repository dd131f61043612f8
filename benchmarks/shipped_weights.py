"""The shipped weights: ``python -m benchmarks.shipped_weights gutenberg=INDEX wikipedia=INDEX``.

Each index is of the train split of a corpus in the shared folder, built with GPT-2's tokenizer and
``--hold-out``; the weights are fitted on what it leaves out. Nothing is fitted on TED talks, nor on
a story of a dataset.
"""

import argparse

from benchmarks.common import shared_folder
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.evaluation.tune import every_nth, fit_settings, see
from gim.induction.model import GIM
from gim.infinigram.index import describe_index
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer
from gim.weighing.fit import Observations
from gim.weighing.weights import SHIPPED, describe, save_weights


def main() -> None:
    """Fit, write and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("indexes", nargs="+", metavar="CORPUS=INDEX")
    parser.add_argument("--positions", type=int, default=12_000, help="of each corpus")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=str(SHIPPED))
    args = parser.parse_args()
    folder = shared_folder()
    if folder is None:
        raise InputError("the shared folder with corpora and tokenizers is not here")
    tokenizer = load_tokenizer(str(folder / "tokenizers" / "gpt2"))
    encoder, parts, names = Encoder.from_pretrained(), [], []
    for item in args.indexes:
        corpus, _, index = item.partition("=")
        file = folder / "corpora" / f"{corpus}.train.jsonl.xz"
        held_out = every_nth(read_documents([file]), describe_index(index)["hold_out"])
        model = GIM(tokenizer, InfiniGram(index, tokenizer), encoder)
        parts.append(see(held_out, model, args.positions, args.seed))
        names.append(file.name)
    found = fit_settings(Observations.concatenate(parts), True, True, args.seed)
    about = {"files": names, "tokenizer": "gpt2", "context": model.window}
    about |= {"positions": found.positions, "logprob": found.logprob}
    save_weights(args.out, found.weights, about)
    for name, weights in found.weights.items():
        print(f"\n{name}: {found.logprob[name]:.3f} nats a token\n{describe(weights)}")


if __name__ == "__main__":
    main()
