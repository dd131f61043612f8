"""Rule webgl."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np

from job import snakemake, work
from pipeline.fit.file import FitFile
from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.scale import correlation_scale
from pipeline.maps.webgl import write_webgl
from pipeline.voxels.volume import Mask, to_vector

with work(snakemake):
    params, files, subject = snakemake.params, snakemake.input, snakemake.wildcards.subject
    mask = Mask.from_config(params.mask, subject)
    r = {m: FitFile(path).scores().r for m, path in zip(params.models, files.fits, strict=True)}
    scale = correlation_scale(r.values())
    colours = {}
    for path in map(Path, files.tunings):
        said = json.loads(path.read_text(encoding="utf-8"))
        for band, facts in said["bands"].items():
            for name in (f for f in facts["files"] if f.endswith("_rgb.nii.gz")):
                image = nib.Nifti1Image.from_filename(path.with_name(name))
                channels = [to_vector(image.slicer[..., c], mask) for c in range(3)]
                colours[f"{said['model']} {band}"] = np.stack(channels)
    write_webgl(
        FlatSurface(mask, params.mask["pycortex"], subject),
        maps={f"r {model}": (values, scale) for model, values in r.items()},
        colours=colours,
        folder=Path(snakemake.output[0]).parent,
        title=f"{snakemake.config['name']}, {subject}",
    )
