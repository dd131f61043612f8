"""The simulated subject: stories of our own grammar, and the BOLD that they evoke.

It uses `pipeline.core`, `pipeline.dataset` and `pipeline.voxels`. Begin with `simulate`; `example`
writes a small dataset as other laboratories have theirs.
"""
