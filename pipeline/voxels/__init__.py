"""Voxels as vectors and as volumes: masks, NIfTI, and the command that turns one into the other.

It uses `pipeline.core`. Begin with `volume` (`Mask`).
"""
