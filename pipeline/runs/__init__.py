"""Write a table of runs from a BIDS tree: `python -m pipeline.runs --bids ROOT --task T`.

It uses `pipeline.core` and `pipeline.dataset`, and nilearn's reader of BIDS names. Begin with
`tree`, which finds the runs; `command` is the command line.
"""
