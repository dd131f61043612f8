"""Speculative decoding with GIM as draft, on models trained here on one prompt."""

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.common import write
from gim.brief import train_briefly
from gim.encoder import Encoder
from gim.model import GIM
from gim.speculate import compare
from gim.tokenizer import load_tokenizer

PROMPT = "The stream ran over the stones, and the children ran over the bridge. " * 8


def language_model(layers: int, width: int, size: int) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = {"n_embd": width, "n_layer": layers, "n_head": 4, "n_positions": 1024}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=size, **shape)).eval()
    return model


def memorise(model: GPT2LMHeadModel, ids: np.ndarray, steps: int) -> None:
    """A few steps on the prompt, so that the model's own output repeats it."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    tokens = torch.from_numpy(ids)[None]
    for _ in range(steps):
        loss = model(tokens, labels=tokens).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    torch.set_num_threads(1)
    tokenizer = load_tokenizer()
    ids = tokenizer.encode(PROMPT)
    large = language_model(12, 512, tokenizer.vocab_size)
    small = language_model(2, 128, tokenizer.vocab_size)
    memorise(large, ids, 12)
    memorise(small, ids, 60)
    encoder = Encoder.create(tokenizer, seed=0, width=128, dim=64)
    train_briefly(encoder, np.tile(ids, 4), steps=20, batch=2)
    figures = {}
    for name, gim in {
        "exact": GIM(tokenizer),
        "fuzzy": GIM(tokenizer, None, encoder),
    }.items():
        table = compare(large, gim, ids, 150, draft_length=8, small=small)
        assert len({tuple(row) for row in table.pop("ids")}) == 1
        figures[name] = table.to_dict("records")
    write(
        "speculative",
        "greedy decoding of a 12-layer model of width 512 with GIM's drafts of 8 tokens",
        "plain decoding, and the drafts of a 2-layer model of width 128, in the same run",
        note="all models were trained on the prompt only: the figures show the cost of drafting",
        figures=figures,
        ratio=figures["exact"][1]["speed_up"],
    )


if __name__ == "__main__":
    main()
