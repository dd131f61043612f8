"""Random language models over letters, for tests of what is done with them."""

import functools

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from gim.text.tokenizer import Tokenizer

SIZE = 24


@functools.cache
def model(kind: str, seed: int = 0, positions: int = 256):
    """A random language model whose logits are far from flat."""
    torch.manual_seed(seed)
    if kind == "gpt2":
        shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5}
        config = GPT2Config(vocab_size=SIZE, n_positions=positions, **shape)
        return GPT2LMHeadModel(config).eval()
    config = LlamaConfig(
        vocab_size=SIZE,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions,
        initializer_range=0.5,
    )
    return LlamaForCausalLM(config).eval()


def letters(size: int = SIZE) -> Tokenizer:
    table = [bytes([97 + i]) for i in range(size)]
    return Tokenizer("letters", lambda text: [b - 97 for b in text.encode()], table)
