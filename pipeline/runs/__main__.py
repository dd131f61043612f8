"""``python -m pipeline.runs``."""

from pipeline.runs.command import main

main()
