"""Generate with GIM as the draft of a causal LM."""

import argparse

from gim.cli.options import add_model, load_model, text_of


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="directory or name of a Hugging Face causal LM")
    parser.add_argument("prompt", help="the text, or @FILE")
    add_model(parser)
    parser.add_argument("--draft-model", default=None, help="a small LM to compare with")
    parser.add_argument("--tokens", type=int, default=100, help="tokens to generate")
    parser.add_argument("--draft-length", type=int, default=8)
    parser.add_argument("--temperature", type=float, default=0.0, help="0: greedy")
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--sampled-draft", action="store_true", help="draft from the soft counts")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> None:
    """Compare the drafts; print the table and the text."""
    from gim.causal.model import load_causal
    from gim.decoding.drafts import Sampling
    from gim.decoding.speculate import compare

    model = load_model(args)
    rows = compare(
        load_causal(args.model, args.device),
        model,
        model.tokenizer.encode(text_of(args.prompt)),
        args.tokens,
        draft_length=args.draft_length,
        sampling=Sampling(args.temperature, args.top_k, args.top_p),
        sampled_draft=args.sampled_draft,
        small=load_causal(args.draft_model, args.device) if args.draft_model else None,
        seed=args.seed,
    )
    print(rows.drop(columns="ids").to_string(index=False))
    print(model.tokenizer.decode(rows["ids"].iloc[1]))
