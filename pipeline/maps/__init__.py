"""Voxel maps as NIfTI files and figures, and histograms where there is no mask."""

from pipeline.maps.histograms import write_histograms
from pipeline.maps.shares import write_shares
from pipeline.maps.write import write_maps

__all__ = ["write_histograms", "write_maps", "write_shares"]
