"""Voxel maps as NIfTI files and figures, with histograms of what they show.

It uses `pipeline.core` and `pipeline.voxels`. Begin with `write` (`write_maps`), which lists what
is drawn; `artist` draws it on slices, surfaces and flatmaps.
"""
