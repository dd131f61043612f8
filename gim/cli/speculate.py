"""Generate with GIM as the draft of a causal LM."""

import argparse

from gim.cli.options import (
    add_model,
    add_weighted,
    load_model,
    load_weighted,
    natural,
    own_tokenizer,
    positive,
    text_of,
)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="directory or name of a Hugging Face causal LM")
    parser.add_argument("prompt", help="the text, or @FILE")
    add_model(parser)
    add_weighted(parser, "draft by evidence weighed")
    parser.add_argument("--draft-model", default=None, help="a small LM to compare with")
    parser.add_argument("--tokens", type=positive, default=100, help="tokens to generate")
    parser.add_argument("--draft-length", type=positive, default=16, help="most tokens of a draft")
    parser.add_argument(
        "--cost",
        type=float,
        default=None,
        help="what a drafted token takes, as a share of a call (default: measured; samples are "
        "reproducible with a given one only)",
    )
    parser.add_argument("--temperature", type=float, default=0.0, help="0: greedy")
    parser.add_argument("--top-k", type=natural, default=0)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--sampled-draft", action="store_true", help="draft from the soft counts")
    parser.add_argument("--seed", type=natural, default=0)


def run(args: argparse.Namespace) -> None:
    """Compare the drafts; print the table and the text."""
    from gim.causal.model import check_vocabulary, load_causal
    from gim.decoding.costs import Costs
    from gim.decoding.sampling import Sampling
    from gim.decoding.speculate import compare
    from gim.text.tokenizer import load_tokenizer

    sampling = Sampling(args.temperature, args.top_k, args.top_p)
    large = load_causal(args.model, args.device)
    if args.tokenizer is None:
        args.tokenizer = own_tokenizer(args.model)
    check_vocabulary(args.model, large, load_tokenizer(args.tokenizer))
    small = load_causal(args.draft_model, args.device) if args.draft_model else None
    if small is not None:
        check_vocabulary(args.draft_model, small, load_tokenizer(args.tokenizer))
    model = load_model(args)
    if args.cost is None:
        costs = Costs.measure(large, args.draft_length)
        last = costs.calls[-1] / costs.calls[0]
        print(f"a call of {len(costs.calls)} tokens takes {last:.2f} times as long as one of 1")
    else:
        costs = Costs.linear(args.cost)
    rows = compare(
        large,
        load_weighted(args, model) or model,
        model.tokenizer.encode(text_of(args.prompt)),
        args.tokens,
        draft_length=args.draft_length,
        costs=costs,
        sampling=sampling,
        sampled_draft=args.sampled_draft,
        small=small,
        seed=args.seed,
    )
    print(rows.drop(columns="ids").to_string(index=False))
    print(model.tokenizer.decode(rows["ids"].iloc[1]))
