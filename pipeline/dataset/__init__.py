"""A dataset: where its files lie, the TR grid, and words and responses made ready for features.

It uses `pipeline.core` and `pipeline.readers`. Begin with `dataset` (`Dataset`) and `grid`; `story`
is what features are given, `prepare` makes responses ready, `basis` has their components.
"""
