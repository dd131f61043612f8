"""Voxelwise encoding models of story listening, a folder a stage.

    stimuli -> features -> design -> fit -> score -> maps, report

It uses `gim` and knows nothing of Snakemake. Begin with the map in CONTRIBUTING.md, or with
`fit.run`, which all the others serve.
"""
