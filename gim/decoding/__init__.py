"""Speculative decoding: GIM drafts tokens, a causal language model accepts or corrects them.

It uses `gim.induction`, `gim.weighing` and `gim.causal`. Begin with `speculate`; `drafts` proposes
tokens, `costs` says how many are sent, `assisted` hands them to transformers.
"""
