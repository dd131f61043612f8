"""Infini-Gram: the longest suffix of the context in a reference corpus, by a suffix array on disk.

It uses `gim.text` and `gim._kernels`. Begin with `query` (`InfiniGram`), which asks the files that
`index` writes.
"""
