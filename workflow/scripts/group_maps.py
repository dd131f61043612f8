"""Rule group_maps."""

import json
from itertools import product
from pathlib import Path

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.readers.formats import vertices_of
from pipeline.statistics.group_maps import write_group
from pipeline.statistics.options import TestOptions
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

with work(snakemake):
    params = snakemake.params
    fits = dict(zip(product(params.subjects, params.models), snakemake.input.fits, strict=True))
    places: dict[str, Mask | Vertices]
    if params.mask:
        places = {s: Mask.from_config(params.mask, s) for s in params.subjects}
    else:
        places = {s: vertices_of(path) for s, path in params.recordings.items()}
    listing = write_group(
        fits,
        params.comparisons,
        params.models,
        places=places,
        folder=Path(snakemake.output[0]).parent,
        options=TestOptions.read(params.options),
        seed=params.seed,
        figures_for=params.figures_for,
        meshes=params.meshes,
    )
    write_text(snakemake.output[0], json.dumps(listing, indent=1))
