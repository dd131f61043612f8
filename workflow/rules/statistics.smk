# Noise ceilings and significance of every subject and model, and the tables of both.


rule ceiling:
    input:
        manifest=MANIFEST,
        responses=lambda w: FILES.prepared_responses(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_ceiling.h5",
    log:
        f"{LOGS}/sub-{{subject}}/ceiling.log",
    benchmark:
        f"{BENCHMARKS}/ceiling/{{subject}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(30),
    params:
        dataset=dataset_options(),
        test=lambda w: heard_stories(CONFIG, w.subject)["test"],
    script:
        "../scripts/ceiling.py"


rule model_statistics:
    input:
        manifest=MANIFEST,
        fit=lambda w: FILES.fit(w.subject, w.model),
        contrasts=lambda w: [
            FILES.fit(w.subject, m) for m in contrasts(CONFIG, w.model)
        ],
        features=lambda w: [
            FILES.band(w.subject, b) for b in permuted_bands(CONFIG, w.model)
        ],
        matches=lambda w: [
            FILES.matches(w.subject, b) for b in permuted_bands(CONFIG, w.model)
        ],
        basis=lambda w: (
            FILES.basis(w.subject) if permuted_bands(CONFIG, w.model) else []
        ),
        responses=lambda w: FILES.prepared_responses(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_stats.h5",
    log:
        f"{LOGS}/sub-{{subject}}/statistics_{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/model_statistics/{{subject}}_{{model}}.tsv"
    wildcard_constraints:
        model=one_of(CONFIG["models"]),
    priority: SOON
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(120),
    params:
        dataset=dataset_options(),
        contrasts=lambda w: contrasts(CONFIG, w.model),
        uses_bold=lambda w: any(
            band_options(CONFIG, b).source in ("responses", "matches")
            for b in CONFIG["models"][w.model]
        ),
        matchers=lambda w: {
            b: band_options(CONFIG, b).as_mapping()
            for b in permuted_bands(CONFIG, w.model)
        },
        stories=lambda w: heard_stories(CONFIG, w.subject),
        delays=CONFIG["delays"],
        options={k: v for k, v in CONFIG["statistics"].items() if k != "contrasts"},
        seed=CONFIG["seeds"]["permutation"],
    script:
        "../scripts/model_statistics.py"


rule statistics_tables:
    input:
        fits=FILES.fits(),
        statistics=FILES.statistics(),
        ceilings=[FILES.ceiling(s) for s in CONFIG["subjects"]],
    output:
        significance=f"{RESULTS}/significance.tsv",
        ceiling=f"{RESULTS}/ceiling.tsv",
    log:
        f"{LOGS}/statistics_tables.log",
    benchmark:
        f"{BENCHMARKS}/statistics_tables.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        subjects=list(CONFIG["subjects"]),
        models=list(CONFIG["models"]),
    script:
        "../scripts/statistics_tables.py"


rule partition:
    input:
        manifest=MANIFEST,
        fits=lambda w: FILES.partition_fits(w.subject, w.partition),
        responses=lambda w: FILES.prepared_responses(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{partition}}_r2.h5",
    log:
        f"{LOGS}/sub-{{subject}}/partition_{{partition}}.log",
    benchmark:
        f"{BENCHMARKS}/partition/{{subject}}_{{partition}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        spaces=lambda w: list(CONFIG["partitions"][w.partition]),
        options={k: v for k, v in CONFIG["statistics"].items() if k != "contrasts"},
        seed=CONFIG["seeds"]["permutation"],
    script:
        "../scripts/partition.py"


rule partition_table:
    input:
        partitions=FILES.partitions(),
        fits=FILES.whole_partition_fits(),
    output:
        f"{RESULTS}/partition.tsv",
    log:
        f"{LOGS}/partition_table.log",
    benchmark:
        f"{BENCHMARKS}/partition_table.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        subjects=list(CONFIG["subjects"]),
        partitions=list(CONFIG["partitions"]),
    script:
        "../scripts/partition_table.py"
