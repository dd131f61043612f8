# The entry for a clone of the project: snakemake --configfile config/NAME.yaml. The workflow is workflow/Snakefile.


include: "workflow/Snakefile"


workflow.default_target = (
    "all"  # what a file that is included makes by default does not count
)
