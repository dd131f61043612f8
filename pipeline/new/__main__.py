"""``python -m pipeline.new``."""

from pipeline.new.command import main

main()
