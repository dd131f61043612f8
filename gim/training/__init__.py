"""Training: a causal language model of one's own, and an encoder distilled from a teacher.

It uses everything but `gim.cli`. Begin with `distill`; `settings` is what its YAML file says.
"""
