"""``python -m pipeline.predict``."""

from pipeline.predict.command import main

main()
