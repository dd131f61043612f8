"""From text to token ids: tokenizers, corpora of documents, words of transcripts, and alignments.

It uses nothing of GIM but errors, files and `gim._kernels`. Begin with `tokenizer`.
"""
