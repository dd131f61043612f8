"""Causal language models of others: loaded, scored, and read as teachers or black boxes.

It uses `gim.text`, and `gim.induction` to find induction heads. Begin with `model`.
"""
