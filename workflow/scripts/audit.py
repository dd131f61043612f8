"""Rule audit."""

from job import snakemake, work
from pipeline.audit import Subject, audit
from pipeline.bands.options import BandOptions
from pipeline.core.atomic import write_text
from pipeline.dataset.dataset import Dataset

with work(snakemake):
    params = snakemake.params
    subject = Subject(
        Dataset.from_config(params.dataset),
        snakemake.wildcards.subject,
        params.stories["train"],
        params.stories["test"],
        snakemake.input.words,
        snakemake.input.basis,
        dict(zip(params.bands, snakemake.input.features, strict=True)),
        params.matches,
        {band: BandOptions.read(options) for band, options in params.options.items()},
        params.delays,
        params.seeds["matching"],
    )
    table = audit(subject, params.sample["stories"], params.sample["rows"], params.seeds["audit"])
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.3f")
    write_text(snakemake.output[0], text)
