"""Eng1000: a word embedding with named coordinates, read, or built from corpora of text.

It uses `pipeline.core` and the corpora of `gim.text`. Begin with `eng1000`;
`coverage` says how many words of a story a lexicon knows, `spelling` whether it can know any.
"""
