# Further looks at finished fits: what each band explains, and the controls that are made when asked for.
from pipeline.validation.regions import parcellation_files

CONTROLS = CONFIG["controls"]


rule shares:
    input:
        truth=FILES.truth(),
        manifest=MANIFEST,
        mask=masks(),
        regions=there(parcellation_files(CONFIG)),
        fits=FILES.fits(),
    output:
        FILES.shares_table(),
    log:
        f"{LOGS}/shares.log",
    benchmark:
        f"{BENCHMARKS}/shares.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        subjects=list(CONFIG["subjects"]),
        models=list(CONFIG["models"]),
        baseline=CONFIG["baseline"],
        mask=CONFIG["mask"],
        regions=CONFIG["regions"],
    script:
        "../scripts/shares.py"


rule shuffled_chunks:
    input:
        manifest=MANIFEST,
        bands=FILES.bands(),
        fits=FILES.fits(),
        responses=[f for s in CONFIG["subjects"] for f in FILES.prepared_responses(s)],
    output:
        FILES.of_run("chunks.tsv"),
    log:
        f"{LOGS}/shuffled_chunks.log",
    benchmark:
        f"{BENCHMARKS}/shuffled_chunks.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(CONFIG["fit"]["memory_gb"]),
        runtime=minutes(240),
        gpu=gpus(),
    params:
        models=CONTROLS["shuffled_chunks"],
    script:
        "../scripts/shuffled_chunks.py"


rule intersubject:
    input:
        manifest=MANIFEST,
        fits=FILES.fits(),
        responses=[f for s in CONFIG["subjects"] for f in FILES.prepared_responses(s)],
    output:
        FILES.of_run("intersubject.tsv"),
    log:
        f"{LOGS}/intersubject.log",
    benchmark:
        f"{BENCHMARKS}/intersubject.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(CONFIG["fit"]["memory_gb"]),
        runtime=minutes(120),
    params:
        method=CONTROLS["intersubject"],
    script:
        "../scripts/intersubject.py"


rule presentations:
    input:
        manifest=MANIFEST,
        bands=FILES.bands(),
        made=[
            f
            for s in CONFIG["subjects"]
            for m in FILES.heard_singly()
            for b in FILES.made_from_bold(m)
            for f in FILES.made_from(s, b).values()
        ],
        fits=FILES.fits(),
        responses=[f for s in CONFIG["subjects"] for f in FILES.prepared_responses(s)],
    output:
        FILES.of_run("presentations.tsv"),
    log:
        f"{LOGS}/presentations.log",
    benchmark:
        f"{BENCHMARKS}/presentations.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(CONFIG["fit"]["memory_gb"]),
        runtime=minutes(120),
    params:
        models=FILES.heard_singly(),
    script:
        "../scripts/presentations.py"
