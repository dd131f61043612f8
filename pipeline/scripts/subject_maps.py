"""Rule subject_maps."""

import json
import logging
from pathlib import Path

from pipeline.atomic import write_text
from pipeline.attribution import read_shares
from pipeline.maps import write_histograms, write_maps
from pipeline.maps.shares import write_shares
from pipeline.stage import stage
from pipeline.summary import Scores
from pipeline.volume import Mask

with stage(snakemake):
    params, subject = snakemake.params, snakemake.wildcards.subject
    folder = Path(snakemake.output[0]).parent
    scores = {
        model: Scores.read(path)
        for model, path in zip(params.models, snakemake.input.fits, strict=True)
    }
    r = {model: s.r for model, s in scores.items()}
    bands = {model: s.bands for model, s in scores.items()}
    histograms = folder / f"sub-{subject}_stat-r_histograms.png"
    files = [write_histograms(r, bands, histograms, subject, params.baseline)]
    if params.mask is None:
        logging.info("no maps: without a mask in the configuration voxels have no place")
    else:
        mask = Mask.from_config(params.mask, subject)
        chosen = params.options["figures_for"]
        files += write_maps(r, bands, mask, folder, subject, params.baseline, chosen)
        fits = dict(zip(params.models, snakemake.input.fits, strict=True))
        several = {m: read_shares(path) for m, path in fits.items() if len(bands[m]) > 1}
        files += write_shares(several, mask, folder, subject)
    names = [file.name for file in files]
    write_text(snakemake.output[0], json.dumps({"mask": params.mask, "files": names}, indent=1))
