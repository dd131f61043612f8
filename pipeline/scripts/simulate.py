"""Rule simulate."""

from pathlib import Path

from pipeline.simulate import Settings, simulate
from pipeline.stage import stage

with stage(snakemake):
    params = snakemake.params
    settings = Settings.from_config(params.settings)
    simulate(Path(params.root), params.subjects, settings, params.seed)
