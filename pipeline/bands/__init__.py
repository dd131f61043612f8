"""Bands: what kind each is, its options, and its features computed for all stories.

It uses `pipeline.features`, `pipeline.matchers` and all below them. Begin with `registry`, which
finds the kinds; `options` fills in their options, `compute` makes the features, which
`file` writes and reads.
"""
