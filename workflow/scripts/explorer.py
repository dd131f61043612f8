"""Rule explorer."""

import json
from pathlib import Path

import pandas as pd

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.dataset.dataset import Dataset
from pipeline.fit.file import FitFile
from pipeline.readers.formats import vertices_of
from pipeline.regions.labels import read_parcellations
from pipeline.report.explorer import Explored, explore
from pipeline.report.units import choose_units, held_against, region_voxels
from pipeline.voxels.vertices import called

with work(snakemake):
    params, files, subject = snakemake.params, snakemake.input, snakemake.wildcards.subject
    fits = dict(zip(params.models, files.fits, strict=True))
    matches = dict(zip(params.bands, files.matches, strict=True))
    models = {params.baseline: Explored(fits[params.baseline])} | {
        model: Explored(fits[model], band, matches[band], *params.bands[band])
        for model, band in params.explored.items()
    }
    for model in params.recalling:
        models.setdefault(model, Explored(fits[model]))
    recalled = dict(zip(params.recalling, files.passages, strict=True))
    truth = next((Path(path).parent for path in files.truth), None)
    named = FitFile(fits[params.baseline]).region_names()
    regions = read_parcellations(params.regions, params.mask, truth, subject, named=named)
    units = choose_units(
        {model: FitFile(path).scores() for model, path in fits.items()},
        over=held_against(params.models, params.explored, params.baseline),
        baseline=params.baseline,
        regions=region_voxels(regions),
        names=named,
        called=called(params.recording and vertices_of(params.recording)),
    )
    collected = explore(
        Dataset.from_config(params.dataset),
        subject,
        words=pd.read_parquet(files.words),
        stories=params.stories,
        models=models,
        units=units,
        recalled={model: pd.read_parquet(path) for model, path in recalled.items()},
    )
    write_text(snakemake.output[0], json.dumps(collected, separators=(",", ":")))
