"""Rule regions."""

from itertools import product
from pathlib import Path

from pipeline.regions import read_labels, read_truth, summarise_regions, write_chart
from pipeline.stage import stage
from pipeline.summary import write_table
from pipeline.volume import Mask

with stage(snakemake):
    params, output = snakemake.params, snakemake.output
    keys = product(params.subjects, params.models)
    fits = dict(zip(keys, snakemake.input.fits, strict=True))
    labels = {subject: {} for subject in params.subjects}
    for subject, own in labels.items():
        if snakemake.input.truth:
            own["truth"] = read_truth(Path(snakemake.input.truth).parent, subject)
        for name, options in params.regions.items():
            mask = Mask.from_config(params.mask, subject)
            own[name] = read_labels(options, mask, subject)
    table = summarise_regions(fits, labels, params.baseline)
    shown = params.models if params.figures_for is None else params.figures_for
    for name, path in zip(params.parcellations, output.charts, strict=True):
        write_chart(table[table["parcellation"] == name], path, shown, params.baseline)
    write_table(table, output.table)
