"""Rule simulate."""

from pathlib import Path

from job import snakemake, work
from pipeline.simulation.settings import Settings
from pipeline.simulation.simulate import simulate

with work(snakemake):
    params = snakemake.params
    settings = Settings.from_config(params.settings)
    root = Path(snakemake.output[0]).parent.parent  # truth/settings.json is written last
    simulate(root, params.subjects, settings, params.seed)
