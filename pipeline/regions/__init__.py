"""Regions of the brain: which region a voxel belongs to, and how models do in each."""

from pipeline.regions.chart import write_chart
from pipeline.regions.labels import read_labels, read_parcellations, read_truth, region_files
from pipeline.regions.summary import summarise_regions

__all__ = [
    "read_labels", "read_parcellations", "read_truth", "region_files", "summarise_regions",
    "write_chart",
]  # fmt: skip
