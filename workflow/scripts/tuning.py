"""Rule tuning."""

from pathlib import Path

import pandas as pd

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design, load_band
from pipeline.fit.file import FitFile
from pipeline.fit.weights_file import WeightsFile
from pipeline.regions.labels import read_parcellations
from pipeline.tuning.write import Subject, write_tuning
from pipeline.voxels.volume import Mask

with work(snakemake):
    params, files, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    truth = next((Path(path).parent for path in files.truth), None)
    options = {name: BandOptions.read(mapping) for name, mapping in params.bands.items()}
    loaded = [
        load_band(
            name, path, options=options[name], delays=params.delays, train=params.train, test=[]
        )
        for name, path in zip(options, files.bands, strict=True)
    ]
    subject = Subject(
        dataset=Dataset.from_config(params.dataset),
        name=wildcards.subject,
        train=params.train,
        words=pd.read_parquet(files.words),
        regions=read_parcellations(params.regions, params.mask, truth, wildcards.subject),
        mask=Mask.from_config(params.mask, wildcards.subject) if params.mask else None,
    )
    write_tuning(
        subject,
        wildcards.model,
        weights=WeightsFile(files.weights),
        fit=FitFile(files.fit),
        design=Design(tuple(loaded)),
        options=options,
        level=params.level,
        seed=params.seed,
        output=Path(snakemake.output[0]),
    )
