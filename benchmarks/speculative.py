"""Speculative decoding with GIM as draft: on real text with ``--model``, else on one prompt."""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.common import write
from gim.causal.model import load_causal
from gim.decoding.speculate import compare
from gim.encoder.encoder import Encoder
from gim.induction.model import GIM
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer

TOKENS = 80
PROMPT = "The stream ran over the stones, and the children ran over the bridge. " * 8


def language_model(layers: int, width: int, size: int) -> LlamaForCausalLM:
    """A Llama, whose rotary positions let it go on repeating beyond the prompt."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(config).eval()


def memorise(model: LlamaForCausalLM, ids: np.ndarray, steps: int) -> None:
    """A few steps on the prompt, so that the model's own output repeats it."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    tokens = torch.from_numpy(ids)[None]
    for _ in range(steps):
        logits = model(tokens[:, :-1]).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, tokens[0, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def on_one_prompt() -> None:
    """Models made here: what drafting costs, and no more."""
    tokenizer = load_tokenizer()
    ids = tokenizer.encode(PROMPT)
    large = language_model(12, 512, tokenizer.vocab_size)
    small = language_model(2, 128, tokenizer.vocab_size)
    memorise(large, ids, 40)
    memorise(small, ids, 150)
    gims = {
        "exact": GIM(tokenizer),
        "fuzzy": GIM(tokenizer, None, Encoder.from_pretrained()),
    }
    figures = measure(large, gims, [ids], small)
    write(
        "speculative",
        "greedy decoding of a 12-layer model of width 512 with GIM's drafts of 8 tokens",
        "plain decoding, and the drafts of a 2-layer model of width 128, in the same run",
        note="all models were trained on the prompt only: the figures show the cost of drafting",
        figures=figures,
        ratio=figures["exact"][1]["speed_up"],
    )


def on_text(args: argparse.Namespace) -> None:
    """A given model, continuing the first tokens of real documents."""
    large, tokenizer = load_causal(args.model), load_tokenizer(args.tokenizer or args.model)
    texts = (tokenizer.encode(document.text) for document in read_documents([args.text]))
    long = (ids for ids in texts if len(ids) >= args.prompt_tokens)
    prompts = [ids[: args.prompt_tokens] for ids in islice(long, args.prompts)]
    gims = {"exact": GIM(tokenizer)}
    if args.encoder:
        gims["fuzzy"] = GIM(tokenizer, None, Encoder.from_pretrained(args.encoder))
    small = load_causal(args.draft_model) if args.draft_model else None
    figures = measure(large, gims, prompts, small)
    write(
        "speculative_text",
        f"greedy decoding of {Path(args.model).name} with GIM's drafts of 8 tokens, {len(prompts)} "
        f"prompts of {args.prompt_tokens} tokens of {Path(args.text).name}, {TOKENS} new tokens",
        "plain decoding, and the drafts of a small model where given, in the same run",
        parameters=sum(p.numel() for p in large.parameters()),
        figures=figures,
        ratio=figures["exact"][1]["speed_up"],
    )


def measure(
    large: Any, gims: dict[str, GIM], prompts: list[np.ndarray], small: Any
) -> dict[str, list[dict]]:
    """Means over the prompts; of each the best of three runs, as the machine has other work."""
    figures = {}
    for name, gim in gims.items():
        tables = []
        for ids in prompts:
            runs = [compare(large, gim, ids, TOKENS, draft_length=8, small=small) for _ in range(3)]
            assert len({tuple(row) for table in runs for row in table.pop("ids")}) == 1
            best = np.min([table["ms_per_token"] for table in runs], axis=0)
            tables.append(runs[0].assign(ms_per_token=best))
        table = pd.concat(tables).groupby("draft", sort=False).mean().reset_index()
        table["speed_up"] = table["ms_per_token"].iloc[0] / table["ms_per_token"]
        figures[name] = table.to_dict("records")
    return figures


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None, help="directory of a causal language model")
    parser.add_argument("--tokenizer", default=None, help="default: in the model's directory")
    parser.add_argument("--text", default=None, help="with --model: text or JSONL to continue")
    parser.add_argument("--encoder", default=None, help="for fuzzy drafts")
    parser.add_argument("--draft-model", default=None, help="a small model to compare with")
    parser.add_argument("--prompts", type=int, default=10)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    args = parser.parse_args()
    if args.model is None:
        on_one_prompt()
    elif args.text is None:
        parser.error("--model needs --text")
    else:
        on_text(args)


if __name__ == "__main__":
    main()
