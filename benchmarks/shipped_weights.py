"""The shipped weights: ``python -m benchmarks.shipped_weights --work DIR`` writes them anew.

Fitted on what indexes of the train splits of two corpora leave out, with GPT-2's tokenizer and the
shipped encoder; an index that is not in DIR is built first. Nothing is fitted on TED talks, nor on
a story of a dataset. One thread, so that the same machine gives the same file.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.common import corpora, execute, timed
from benchmarks.results_lm import run_step
from gim.encoder.encoder import Encoder
from gim.evaluation.tune import every_nth, fit_settings, see
from gim.induction.model import GIM
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer
from gim.weighing.fit import Observations
from gim.weighing.weights import SHIPPED, describe, save_weights

CORPORA = ("wikipedia", "gutenberg")
HOLD_OUT = 40  # every n-th document
POSITIONS = 120_000  # of each corpus


def main() -> None:
    """Fit, write and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("results/lm_weights"))
    parser.add_argument("--positions", type=int, default=POSITIONS, help="of each corpus")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=str(SHIPPED))
    args = parser.parse_args()
    folder = corpora()
    torch.set_num_threads(1)
    spent, seen = timed(lambda: [_see(corpus, folder, args) for corpus in CORPORA])
    print(f"looked at {sum(map(len, seen)):,} positions: {spent:.0f} s of CPU", flush=True)
    joined = Observations.concatenate(seen)
    spent, found = timed(lambda: fit_settings(joined, True, True, args.seed))
    print(f"fitted: {spent:.0f} s of CPU", flush=True)
    names = [f"{corpus}.train.jsonl.xz" for corpus in CORPORA]
    about = {"files": names, "tokenizer": "gpt2", "context": 1024, "hold_out": HOLD_OUT}
    about |= {"positions": found.positions, "seed": args.seed, "logprob": found.logprob}
    save_weights(args.out, found.weights, about)
    for name, weights in found.weights.items():
        print(f"\n{name}: {found.logprob[name]:.3f} nats a token\n{describe(weights)}")


def _see(corpus: str, shared: Path, args: argparse.Namespace) -> Observations:
    """Held-out documents of a corpus, beside an index of the others."""
    file, gpt2 = shared / "corpora" / f"{corpus}.train.jsonl.xz", shared / "tokenizers" / "gpt2"
    index = args.work / f"{corpus}.held"
    options = ["--tokenizer", str(gpt2), "--hold-out", str(HOLD_OUT)]
    run_step(index, ["index", str(file), *options])
    tokenizer = load_tokenizer(str(gpt2))
    model = GIM(tokenizer, InfiniGram(index, tokenizer), Encoder.from_pretrained())
    held_out = every_nth(read_documents([file]), HOLD_OUT)
    return see(held_out, model, args.positions, args.seed)


if __name__ == "__main__":
    execute(main)
