"""Encoding models of story listening: stimuli -> features -> design -> fit -> score -> maps.

    snakemake --configfile config/demo.yaml --profile profiles/default

The configuration names dataset, features and models (docs/configuration.md); results go to results/NAME.
"""

from pipeline.config.load import complete, read_file
from pipeline.core.errors import InputError

# Only without --configfile: Snakemake would merge the two, and a run would get the demo's subjects.
if "data_root" not in config:

    configfile: f"{workflow.basedir}/config/demo.yaml"


workdir: workflow.basedir


try:
    for given in workflow.configfiles:
        read_file(given)
    CONFIG = complete(config)
except InputError as error:
    raise WorkflowError(str(error))
config.update(CONFIG)  # what scripts and reports see has the defaults filled in


include: "pipeline/rules/common.smk"
include: "pipeline/rules/stimuli.smk"
include: "pipeline/rules/features.smk"
include: "pipeline/rules/audit.smk"
include: "pipeline/rules/fit.smk"
include: "pipeline/rules/statistics.smk"
include: "pipeline/rules/report.smk"


if CONFIG["fetch"] is not None:

    include: "pipeline/rules/fetch.smk"


if CONFIG["lm"] is not None:

    include: "pipeline/rules/lm.smk"


if CONFIG["training"] is not None:

    include: "pipeline/rules/training.smk"


rule all:
    default_target: True
    input:
        final_targets(),


rule features:
    input:
        SETTINGS,
        [band_file(s, b) for s in CONFIG["subjects"] for b in used_bands()],


rule fit:
    input:
        SETTINGS,
        all_fits(),
        audits(),
        f"{RESULTS}/summary.tsv",


rule statistics:
    input:
        SETTINGS,
        f"{RESULTS}/significance.tsv",
        f"{RESULTS}/ceiling.tsv",
        partition_tables(),


rule maps:
    input:
        SETTINGS,
        map_markers(),
        REGIONS if parcellations() else [],
