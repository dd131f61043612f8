"""GIM's encoder: a small causal Transformer whose states are close where the next words are alike.

It uses `gim.text`. Begin with `encoder`; `stream` encodes a context as it grows.
"""
