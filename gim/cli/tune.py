"""Choose tau, and the weights of a mixture, on held-out documents of the training corpus."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gim.cli.options import add_model, load_model, natural, positive
from gim.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", help="the training corpus")
    add_model(parser, tau=False, index=False)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--index",
        default=None,
        help="of the same files, built with --hold-out; default: here",
    )
    where.add_argument(
        "--no-index", action="store_true", help="tune GIM without a reference corpus"
    )
    parser.add_argument("--every", type=positive, default=20, help="hold out every n-th document")
    parser.add_argument(
        "--stride", type=positive, default=64, help="score every n-th position for tau"
    )
    parser.add_argument("--out", required=True, help="TSV of the sweep of tau")
    parser.add_argument("--weights", default=None, help="fit weights, too, and write them and tau")
    parser.add_argument("--positions", type=positive, default=8192, help="to fit weights on")
    parser.add_argument("--seed", type=natural, default=0, help="of their choice")


def run(args: argparse.Namespace) -> None:
    """Index the rest if need be, sweep tau on the documents held out, fit weights."""
    from gim.evaluation.evaluate import evaluate
    from gim.evaluation.tune import describe_tau, every_nth, sweep
    from gim.files import check_output, write_text
    from gim.text.corpus import read_documents

    if args.every < 2:
        raise InputError(f"--every {args.every} would leave nothing to train on; use 2 or more")
    check_output(args.out, args.files)
    if args.weights:
        check_output(args.weights, [*args.files, args.out])
    with _index(args) as (paths, every):
        model = load_model(args, paths)
        held_out = list(every_nth(read_documents(args.files), every))
        result = evaluate(held_out, model, stride=args.stride, progress=True)
        table = sweep(result.components, result.document, result.vocab_size)
        write_text(args.out, table.to_csv(sep="\t", index=False, float_format="%.6g"))
        print(table.to_string(index=False))
        tau = describe_tau(table)
        said = "tau = {value} (as accurate as the best: {as_accurate[0]} to {as_accurate[1]})"
        print(said.format(**tau) if tau else "all tau do the same here: none is chosen")
        if args.weights:
            _fit(args, model, held_out, tau)


@contextmanager
def _index(args: argparse.Namespace) -> Iterator[tuple[list[str], int]]:
    """Paths of the index that leaves the held-out documents out, and which ones those are."""
    from gim.infinigram.index import build_index, describe_index
    from gim.text.tokenizer import load_tokenizer

    if args.no_index:
        yield [], args.every
    elif args.index:
        about = describe_index(args.index)
        names = [Path(name).name for name in args.files]
        if not about["hold_out"] or about["corpora"] != names:
            out = f"every {about['hold_out']}th" if about["hold_out"] else "no"
            raise InputError(
                f"{args.index}: an index of {', '.join(about['corpora'])} that leaves out {out} "
                "document; "
                f"to tune, build one of {', '.join(names)} with `gim index --hold-out N`"
            )
        yield [args.index], about["hold_out"]
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index"
            tokenizer = load_tokenizer(args.tokenizer)
            build_index(args.files, tokenizer, path, hold_out=args.every)
            yield [str(path)], args.every


def _fit(args: argparse.Namespace, model: Any, documents: list, tau: dict[str, Any] | None) -> None:
    """Fit weights, write and print them."""
    from gim.evaluation.tune import fit_settings, see
    from gim.weighing.weights import describe, save_weights

    seen = see(documents, model, args.positions, args.seed)
    found = fit_settings(seen, model.index is not None, model.metric is not None, args.seed)
    about = {
        "files": [Path(name).name for name in args.files],
        "tokenizer": model.tokenizer.name,
        "context": model.window,
        "documents": len(documents),
        "positions": found.positions,
        "logprob": found.logprob,
    } | ({"tau": tau} if tau else {})
    save_weights(args.weights, found.weights, about)
    for name, weights in found.weights.items():
        print(f"\n{name}: {found.logprob[name]:.3f} nats a token\n{describe(weights)}")
