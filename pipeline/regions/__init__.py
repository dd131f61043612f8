"""Regions of the brain: which region a voxel belongs to, and how models do in each.

It uses `pipeline.tables` and all below. Begin with `labels`; `summary` is the table, `chart` its
picture. What needs nilearn imports it on first use: every job looks at the regions' files.
"""
