"""Speculative decoding with GIM as draft, on models trained here on one prompt."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.common import write
from gim.brief import train_briefly
from gim.encoder import Encoder
from gim.model import GIM
from gim.speculate import compare
from gim.tokenizer import load_tokenizer

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


def main() -> None:
    torch.set_num_threads(1)
    tokenizer = load_tokenizer()
    ids = tokenizer.encode(PROMPT)
    large = language_model(12, 512, tokenizer.vocab_size)
    small = language_model(2, 128, tokenizer.vocab_size)
    memorise(large, ids, 40)
    memorise(small, ids, 150)
    encoder = Encoder.create(tokenizer, seed=0, width=128, dim=64)
    train_briefly(encoder, np.tile(ids, 4), steps=20, batch=2)
    figures = {}
    for name, gim in {
        "exact": GIM(tokenizer),
        "fuzzy": GIM(tokenizer, None, encoder),
    }.items():
        # In turn and the best of three, because the machine has other work as well.
        tables = [compare(large, gim, ids, TOKENS, draft_length=8, small=small) for _ in range(3)]
        assert len({tuple(row) for table in tables for row in table.pop("ids")}) == 1
        table = tables[0].assign(ms_per_token=np.min([t["ms_per_token"] for t in tables], axis=0))
        table["speed_up"] = table["ms_per_token"].iloc[0] / table["ms_per_token"]
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
