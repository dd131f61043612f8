"""Readers of transcripts and of responses, one file a format.

It uses `pipeline.core` and, for images, the masks of `pipeline.voxels`. Begin with `formats`, which
chooses a reader by the suffix of the file.
"""
