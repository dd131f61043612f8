"""Rule tuning."""

from pathlib import Path

import pandas as pd

from job import snakemake, work
from pipeline.bands.registry import BandOptions
from pipeline.dataset.dataset import Dataset
from pipeline.fit.design import Design, load_band
from pipeline.fit.file import FitFile
from pipeline.fit.grams import GramFile
from pipeline.fit.options import training_folds
from pipeline.fit.weights_file import WeightsFile
from pipeline.maps.flatmap import flat_surface
from pipeline.matching.matches import load_matches
from pipeline.readers.formats import vertices_of
from pipeline.regions.labels import read_parcellations
from pipeline.tuning.subject import Subject
from pipeline.tuning.write import write_tuning
from pipeline.voxels.volume import Mask

with work(snakemake):
    params, files, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    name, stories = wildcards.subject, params.stories
    truth = next((Path(path).parent for path in files.truth), None)
    options = {band: BandOptions.read(mapping) for band, mapping in params.bands.items()}
    loaded = [
        load_band(band, path, options=options[band], delays=params.delays, **stories)
        for band, path in zip(options, files.bands, strict=True)
    ]
    dataset, fit = Dataset.from_config(params.dataset), FitFile(files.fit)
    named = fit.region_names()
    mask = Mask.from_config(params.mask, name) if params.mask else None
    space = vertices_of(params.recording) if params.recording else mask
    n_rows = {story: dataset.grid(story).n_rows for story in stories["train"]}
    write_tuning(
        Subject(
            dataset=dataset,
            name=name,
            **stories,
            words=pd.read_parquet(files.words),
            regions=read_parcellations(params.regions, params.mask, truth, name, named=named),
            space=space,
            meshes=params.meshes,
        ),
        wildcards.model,
        weights=WeightsFile(files.weights),
        fit=fit,
        design=Design(tuple(loaded)),
        options=options,
        folds=training_folds(stories["train"], n_rows, params.n_folds, params.seeds["folds"]),
        level=params.level,
        seed=params.seeds["permutation"],
        output=Path(snakemake.output[0]),
        matches=dict(zip(params.matching, map(load_matches, files.matches), strict=True)),
        grams=GramFile.read_all(files.grams) or None,
        flat=flat_surface(mask, params.mask["pycortex"], name) if mask else None,
    )
