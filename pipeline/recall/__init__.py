"""Matching a memory of passages instead of the story: what is alike, what it means, where it is.

It uses `pipeline.core`, `pipeline.dataset`, `pipeline.features` and `pipeline.bands`. Begin with
`recall`, which searches the memory once for every set of folds that is left out:

    contexts   states of the stories' rows and of a corpus's passages, once a run
    memory     which passages a memory has; none of a story that is predicted
    nearest    the most alike ones, and their weights
    recall     the search, its file, its evidence
    features   what a row's passages make of it
    checks     what the audit asks of these files
"""
