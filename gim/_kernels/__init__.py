"""The compiled loops (Numba) behind the searches: arrays in, arrays out, no classes.

They know only of each other. `gim.text`, `gim.induction` and `gim.infinigram` wrap them in classes. Begin with
`suffix_tree`, which says how the context is kept.
"""
