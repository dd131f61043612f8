"""Induction: what followed the same, or similar, earlier places predicts what comes next.

It uses `gim.text`, `gim.encoder` and `gim.infinigram`. Begin with `model` (`GIM`, Eq. 5), which
joins `exact`, `fuzzy` and the reference corpus; a prediction names its passages (`prediction`).
"""
