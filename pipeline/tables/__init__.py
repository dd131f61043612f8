"""The tables of a run, one file a .tsv.

They use `pipeline.fit`, `pipeline.statistics` and all below. Begin with `summary`.
"""
