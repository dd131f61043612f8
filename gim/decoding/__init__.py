"""Speculative decoding: GIM drafts tokens, a causal language model accepts or corrects them.

It uses `gim.induction`. Begin with `speculate`; `assisted` hands the drafts to transformers.
"""
