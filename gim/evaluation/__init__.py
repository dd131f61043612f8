"""How good a predictor or a similarity is, on which texts, and what single predictions rest on.

It uses everything below (`gim.induction`, `gim.causal`). Begin with `evaluate`; `report` writes
the tables, `explain` shows the passages behind each token.
"""
