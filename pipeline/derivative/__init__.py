"""A run's folder as a BIDS derivative: what a validator, and whoever gets it, reads first.

It uses `pipeline.config`. Begin with `description` (`write_description`); `ignored` lists what BIDS
has no names for.
"""
