"""``python -m pipeline.example``."""

from pipeline.simulation.example import main

main()
