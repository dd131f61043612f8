"""``python -m pipeline.config``."""

from pipeline.config.check import main

main()
