"""Rule subject_maps."""

import json
from pathlib import Path

import numpy as np

from job import snakemake, work
from pipeline.core.atomic import write_text
from pipeline.core.places import Places
from pipeline.fit.file import FitFile
from pipeline.maps.histograms import write_histograms
from pipeline.maps.shares import write_shares
from pipeline.maps.sidecars import write_sidecars
from pipeline.maps.write import write_maps
from pipeline.readers.formats import vertices_of
from pipeline.statistics.stats_file import StatsFile
from pipeline.voxels.volume import Mask

with work(snakemake):
    params, subject = snakemake.params, snakemake.wildcards.subject
    folder = Path(snakemake.output[0]).parent
    fits = dict(zip(params.models, snakemake.input.fits, strict=True))
    scores = {model: FitFile(path).scores() for model, path in fits.items()}
    r = {model: s.r for model, s in scores.items()}
    bands = {model: s.bands for model, s in scores.items()}
    histograms = folder / f"sub-{subject}_stat-r_histograms.png"
    records = [
        write_histograms(r, bands, path=histograms, subject=subject, baseline=params.baseline)
    ]
    places = (
        vertices_of(params.recording)
        if params.recording
        else Mask.from_config(params.mask, subject)
    )
    q: dict[tuple[str, str | None], np.ndarray] = {}
    for model, path in zip(params.models, snakemake.input.statistics, strict=True):
        tests = StatsFile(path).tests()
        q[model, None] = tests["r"].q
        q |= {(model, ref): tests[f"contrast/{ref}"].q for ref in params.contrasts[model]}
    records += write_maps(
        r,
        bands,
        places=places,
        folder=folder,
        subject=subject,
        contrasts=params.contrasts,
        figures_for=params.figures_for,
        q=q,
        level=params.level,
        pycortex=params.mask["pycortex"] if params.mask else None,
        meshes=params.meshes,
    )
    several = {m: FitFile(path).shares() for m, path in fits.items() if len(bands[m]) > 1}
    records += write_shares(several, places, folder=folder, subject=subject)
    write_sidecars(records, folder, fits)
    mask_as_written = Places(snakemake.config).hide(params.mask)
    listing = {"mask": mask_as_written, "files": [r["file"] for r in records], "maps": records}
    write_text(snakemake.output[0], json.dumps(listing, indent=1))
