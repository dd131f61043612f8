"""``python -m pipeline.doctor``."""

from pipeline.doctor.command import main

main()
