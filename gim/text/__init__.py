"""From text to token ids: tokenizers, corpora of documents, words of transcripts, and alignments.

It uses nothing of GIM but errors and files. Begin with `tokenizer`.
"""
