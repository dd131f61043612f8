"""``python -m pipeline.voxels``."""

from pipeline.voxels.convert import main

main()
