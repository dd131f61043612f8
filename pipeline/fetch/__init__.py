"""Fetching what a configuration needs, and no more: files of a dataset, and language models.

It uses `pipeline.validation` and all below. Begin with `fetch`; `plan` says what is missing and
what each file must be (`annex`), `clone` and `https` get it (`part`, what has come). No other part
of the project asks the network for anything.
"""
