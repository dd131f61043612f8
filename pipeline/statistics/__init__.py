"""Significance, noise ceilings and variance partitioning of fits, by permutations within stories.

It uses `pipeline.fit` and all below. Begin with `tests` (what is asked of each voxel) and
`permutation` (how p follows); `blocks`, `shifts` and `match_permutation` are the ways to permute,
`run` computes and writes; what is written, and how it is read, is in `stats_file`, `ceiling_file`
and `partition_file`.
"""
