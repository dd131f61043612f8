"""The report of a run: one HTML file that needs nothing else."""

from pipeline.report.page import Run, render
from pipeline.report.timings import collect_timings

__all__ = ["Run", "collect_timings", "render"]
