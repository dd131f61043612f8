"""Rule fit_model where several jobs share the voxels."""

from job import snakemake, work
from pipeline.fit.run import gather

with work(snakemake):
    gather(snakemake.input, options=snakemake.params.alphas, output=snakemake.output[0])
