"""Banded ridge regression per voxel, with cross-validation over whole stories."""
