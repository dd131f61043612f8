"""Bands: what kind each is, its options, and its features computed for all stories.

It uses `pipeline.features`, `pipeline.matchers` and all below. Begin with `registry`, which finds
the kinds and fills in their options; `compute` writes the features.
"""
