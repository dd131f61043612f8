"""Rule fit_model where several jobs share the voxels."""

from job import snakemake, work
from pipeline.fit.options import Alphas
from pipeline.fit.run import gather

with work(snakemake):
    gather(snakemake.input, alphas=Alphas(**snakemake.params.alphas), output=snakemake.output[0])
