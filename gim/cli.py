"""The command ``gim``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from gim.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (2: something given was wrong)."""
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except InputError as error:
        print(f"gim {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gim", description="The Generalized Induction Head Model as a language model."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Callable, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command("index", _index, "Build an Infini-Gram index of a reference corpus.")
    sub.add_argument("corpora", nargs="+", help="text or JSONL files, plain, .gz, .xz or .zst")
    sub.add_argument("--out", required=True, help="directory of the index")
    sub.add_argument("--tokenizer", default=None, help="path or name (default: the shipped one)")
    sub.add_argument("--field", default="text", help="key of the text in JSONL")
    sub.add_argument("--cpus", type=int, default=1, help="processes of the suffix sort")
    sub.add_argument("--memory", type=int, default=2, help="GiB for the suffix sort")
    sub.add_argument("--hold-out", type=int, default=0, help="leave out every n-th document")

    sub = command("eval", _eval, "Score next-token predictors on documents.")
    sub.add_argument("files", nargs="+")
    _model_options(sub)
    sub.add_argument("--models", nargs="*", default=[], help="Hugging Face causal LMs to compare")
    sub.add_argument("--stride", type=int, default=512, help="score every n-th position")
    sub.add_argument("--other-taus", type=int, nargs="*", default=[], help="more rows of GIM")
    sub.add_argument("--documents", type=int, default=None, help="only the first n documents")
    sub.add_argument("--out", required=True, help="directory of the tables and the plot")

    sub = command("tune", _tune, "Choose tau on held-out documents of the training corpus.")
    sub.add_argument("files", nargs="+", help="the training corpus")
    _model_options(sub, tau=False, index=False)
    sub.add_argument("--every", type=int, default=20, help="hold out every n-th document")
    sub.add_argument("--no-index", action="store_true", help="tune GIM without a reference corpus")
    sub.add_argument("--stride", type=int, default=64)
    sub.add_argument("--out", required=True, help="TSV of the sweep")

    sub = command("explain", _explain, "Show what every token of a text was predicted from.")
    sub.add_argument("text", help="the text, or @FILE")
    _model_options(sub)
    sub.add_argument("--html", default=None, help="write a page instead of the terminal view")
    sub.add_argument("--evidence", type=int, default=5, help="passages a token")

    sub = command("heads", _heads, "Induction-head scores of a causal language model.")
    sub.add_argument("model", help="directory or name of a Hugging Face causal LM")
    sub.add_argument("--tokenizer", default=None, help="with --text: the model's tokenizer")
    sub.add_argument("--text", default=None, help="file on which GIM's matches are compared")
    sub.add_argument("--sequences", type=int, default=8)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--out", required=True, help="directory of the table and the heat map")

    sub = command("speculate", _speculate, "Generate with GIM as the draft of a causal LM.")
    sub.add_argument("model", help="directory or name of a Hugging Face causal LM")
    sub.add_argument("prompt", help="the text, or @FILE")
    _model_options(sub)
    sub.add_argument("--draft-model", default=None, help="a small LM to compare with")
    sub.add_argument("--tokens", type=int, default=100, help="tokens to generate")
    sub.add_argument("--draft-length", type=int, default=8)
    sub.add_argument("--temperature", type=float, default=0.0, help="0: greedy")
    sub.add_argument("--top-k", type=int, default=0)
    sub.add_argument("--top-p", type=float, default=1.0)
    sub.add_argument("--sampled-draft", action="store_true", help="draft from the soft counts")
    sub.add_argument("--seed", type=int, default=0)
    return parser


def _model_options(sub: argparse.ArgumentParser, tau: bool = True, index: bool = True) -> None:
    sub.add_argument("--tokenizer", default=None, help="path or name (default: the shipped one)")
    if index:
        sub.add_argument("--index", nargs="*", default=[], help="indexes of reference corpora")
    sub.add_argument("--encoder", default=None, help="directory of a saved encoder")
    sub.add_argument("--context", type=int, default=1024, help="tokens of context")
    sub.add_argument("--device", default="cpu")
    if tau:
        sub.add_argument("--tau", type=int, default=8, help="see `gim tune`")


def _load(args: argparse.Namespace, index: Sequence[str] | None = None) -> Any:
    """The GIM that the options describe."""
    from gim.infinigram import InfiniGram
    from gim.model import GIM
    from gim.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(args.tokenizer)
    paths = args.index if index is None else index
    reference = InfiniGram(list(paths), tokenizer) if paths else None
    encoder = None
    if args.encoder:
        from gim.encoder import Encoder

        encoder = Encoder.from_pretrained(args.encoder, args.device)
    return GIM(tokenizer, reference, encoder, getattr(args, "tau", 8), args.context)


def _text(value: str) -> str:
    """The value itself, or what is in the file after "@"."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{value[1:]}: cannot be read ({error})") from error


def _index(args: argparse.Namespace) -> None:
    from gim.index import build_index
    from gim.tokenizer import load_tokenizer

    found = build_index(
        args.corpora,
        load_tokenizer(args.tokenizer),
        args.out,
        field=args.field,
        cpus=args.cpus,
        memory=args.memory,
        hold_out=args.hold_out,
    )
    size = sum(found["bytes"].values())
    print(
        f"{args.out}: {found['documents']:,} documents, {found['tokens']:,} tokens, "
        f"{size / found['tokens']:.1f} bytes a token, verified"
    )


def _eval(args: argparse.Namespace) -> None:
    from gim.causal import load_causal
    from gim.corpus import read_documents
    from gim.evaluate import evaluate
    from gim.report import write_evaluation

    model = _load(args)
    causal = {Path(name).name: load_causal(name, args.device) for name in args.models}
    documents = islice(read_documents(args.files), args.documents)
    result = evaluate(
        documents,
        model,
        stride=args.stride,
        causal=causal,
        other_taus=args.other_taus,
        progress=True,
    )
    settings = {
        "files": [Path(f).name for f in args.files],
        "tokenizer": model.tokenizer.name,
        "index": [Path(p).name for p in args.index],
        "encoder": args.encoder and Path(args.encoder).name,
        "tau": model.tau,
        "context": model.window,
        "stride": args.stride,
    }
    print(write_evaluation(result, args.out, settings).to_string(index=False))


def _tune(args: argparse.Namespace) -> None:
    import tempfile

    from gim.corpus import read_documents
    from gim.evaluate import evaluate
    from gim.files import write_text
    from gim.index import build_index
    from gim.tokenizer import load_tokenizer
    from gim.tune import best_tau, every_nth, sweep

    if args.every < 2:
        raise InputError(f"--every {args.every} would leave nothing to train on; use 2 or more")
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        if not args.no_index:  # the held-out documents must not be in the index
            tokenizer = load_tokenizer(args.tokenizer)
            build_index(args.files, tokenizer, index, hold_out=args.every)
        model = _load(args, [] if args.no_index else [str(index)])
        held_out = every_nth(read_documents(args.files), args.every)
        result = evaluate(held_out, model, stride=args.stride, progress=True)
    table = sweep(result.components, result.document, result.vocab_size)
    write_text(args.out, table.to_csv(sep="\t", index=False, float_format="%.6g"))
    print(table.to_string(index=False))
    print(f"tau = {best_tau(table)}")


def _explain(args: argparse.Namespace) -> None:
    from gim.explain import explain, to_html, to_terminal
    from gim.files import write_text

    steps = explain(_load(args), _text(args.text), args.evidence)
    if args.html:
        write_text(args.html, to_html(steps))
    else:
        print(to_terminal(steps, colour=sys.stdout.isatty()))


def _heads(args: argparse.Namespace) -> None:
    from gim.causal import load_causal
    from gim.heads import head_scores, in_context_score, match_agreement, write_heads
    from gim.tokenizer import load_tokenizer

    model = load_causal(args.model)
    table = head_scores(model, sequences=args.sequences, seed=args.seed)
    extra = {"model": Path(args.model).name, "seed": args.seed}
    if args.text:
        if args.tokenizer is None:
            raise InputError("--text needs --tokenizer, the model's own")
        ids = load_tokenizer(args.tokenizer).encode(_text("@" + args.text))
        extra["in_context_score"] = in_context_score(model, ids)
        table["gim_agreement"] = match_agreement(model, ids)
    write_heads(table, args.out, extra)
    print(table.sort_values("prefix_matching", ascending=False).head(10).to_string(index=False))


def _speculate(args: argparse.Namespace) -> None:
    from gim.causal import load_causal
    from gim.speculate import Sampling, compare

    model = _load(args)
    rows = compare(
        load_causal(args.model, args.device),
        model,
        model.tokenizer.encode(_text(args.prompt)),
        args.tokens,
        draft_length=args.draft_length,
        sampling=Sampling(args.temperature, args.top_k, args.top_p),
        sampled_draft=args.sampled_draft,
        small=load_causal(args.draft_model, args.device) if args.draft_model else None,
        seed=args.seed,
    )
    print(rows.drop(columns="ids").to_string(index=False))
    print(model.tokenizer.decode(rows["ids"].iloc[1]))


if __name__ == "__main__":
    sys.exit(main())
