"""The compiled loops (Numba) behind the searches: arrays in, arrays out, no classes.

They know only of each other. `gim.induction`, `gim.infinigram` and others wrap them in classes.
Begin with `suffix_tree`, which says how the context is kept.
"""
