"""Rule fit_model where several jobs share the voxels."""

from pipeline.fit.run import gather
from pipeline.stage import stage

with stage(snakemake):
    gather(snakemake.input, snakemake.params.alphas, snakemake.output[0])
