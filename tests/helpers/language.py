"""Small language models on disk, for the matchers and features that read one."""

import shutil
from importlib.resources import files

from gim.encoder.encoder import Encoder
from gim.infinigram.index import build_index
from gim.text.tokenizer import load_tokenizer

TEXT = "it was the best of times it was the worst of times we went to the sea w1 w2 w3 w1 w2 w4 "


def write_language(root):
    """Write an encoder, an index and a causal model; returns {kind: options that it needs}."""
    tokenizer = load_tokenizer()
    Encoder.create(tokenizer, width=16, dim=8, layers=1, heads=2).save_pretrained(root / "encoder")
    (root / "corpus.txt").write_text(TEXT * 20)
    build_index([root / "corpus.txt"], tokenizer, root / "index", progress=False)
    write_causal(root / "causal", tokenizer.vocab_size)
    return {
        "gim": {"encoder": str(root / "encoder")},
        "infinigram": {"index": str(root / "index")},
        "gimteacher": {"model": str(root / "causal"), "context": 8},
    }


def write_causal(folder, vocab_size):
    """A random GPT-2 with the shipped tokenizer."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=vocab_size, n_positions=64, n_embd=8, n_layer=1, n_head=2,
        initializer_range=0.5, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    shutil.copy(str(files("gim") / "data" / "tokenizer.json"), folder / "tokenizer.json")
