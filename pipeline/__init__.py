"""Voxelwise encoding models of story listening: stimuli to features to fits to maps."""
