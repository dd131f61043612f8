# Maps, timings and the report.
rule subject_maps:
    input:
        manifest=MANIFEST,
        mask=mask_files(),
        fits=lambda w: [fit_file(w.subject, model) for model in CONFIG["models"]],
        statistics=lambda w: mapped_statistics(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_maps.json",
    log:
        f"{LOGS}/sub-{{subject}}/maps.log",
    benchmark:
        f"{BENCHMARKS}/subject_maps/{{subject}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(60),
    params:
        models=list(CONFIG["models"]),
        baseline=CONFIG["baseline"],
        references={model: references(CONFIG, model) for model in CONFIG["models"]},
        mask=CONFIG["mask"],
        figures_for=CONFIG["maps"]["figures_for"],
        level=CONFIG["statistics"]["alpha"],
    script:
        "../scripts/subject_maps.py"


rule regions:
    input:
        truth=f"{TRUTH}/settings.json" if CONFIG["simulate"] is not None else [],
        manifest=MANIFEST,
        mask=mask_files(),
        regions=there(parcellation_files(CONFIG)),
        fits=all_fits(),
    output:
        table=REGIONS,
        charts=report(
            [f"{RESULTS}/regions_{name}.png" for name in parcellations()],
            caption="../captions/regions.rst",
            category="Regions",
        ),
    log:
        f"{LOGS}/regions.log",
    benchmark:
        f"{BENCHMARKS}/regions.tsv"
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
        over=controlled_models(),
        mask=CONFIG["mask"],
        regions=CONFIG["regions"],
        parcellations=parcellations(),
        figures_for=CONFIG["maps"]["figures_for"],
    script:
        "../scripts/regions.py"


rule explorer:
    input:
        manifest=MANIFEST,
        words=WORDS,
        truth=f"{TRUTH}/settings.json" if CONFIG["simulate"] is not None else [],
        mask=mask_files(),
        regions=there(parcellation_files(CONFIG)),
        fits=lambda w: [fit_file(w.subject, model) for model in CONFIG["models"]],
        matches=lambda w: [
            matches_file(w.subject, band)
            for band in dict.fromkeys(explored_bands().values())
        ],
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_explorer.json",
    log:
        f"{LOGS}/sub-{{subject}}/explorer.log",
    benchmark:
        f"{BENCHMARKS}/explorer/{{subject}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(20),
    params:
        dataset=dataset_options(),
        stories=lambda w: stories_of(w.subject)["test"],
        models=CONFIG["models"],
        baseline=CONFIG["baseline"],
        explored=explored_bands(),
        bands={band: match_times(band) for band in explored_bands().values()},
        mask=CONFIG["mask"],
        regions=CONFIG["regions"],
    script:
        "../scripts/explorer.py"


rule report:
    input:
        manifest=MANIFEST,
        warnings=f"{RESULTS}/warnings.txt",
        settings=SETTINGS,
        summary=f"{RESULTS}/summary.tsv",
        gains=f"{RESULTS}/gains.tsv",
        significance=f"{RESULTS}/significance.tsv",
        ceiling=f"{RESULTS}/ceiling.tsv",
        sweep_gains=expand("results/{name}/gains.tsv", name=CONFIG["report"]["sweep"]),
        sweep_provenance=expand(
            "results/{name}/provenance.json", name=CONFIG["report"]["sweep"]
        ),
        explorers=explorer_files(),
        regions=REGIONS if parcellations() else [],
        charts=[f"{RESULTS}/regions_{name}.png" for name in parcellations()],
        partition=partition_tables(),
        fits=all_fits(),
        maps=map_markers(),
    output:
        report=report(
            f"{RESULTS}/report.html",
            caption="../captions/report.rst",
            category="Report",
        ),
        timings=f"{RESULTS}/timings.tsv",
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{BENCHMARKS}/report.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        benchmarks=BENCHMARKS,
        subjects=list(CONFIG["subjects"]),
        models=list(CONFIG["models"]),
        parcellations=parcellations(),
    script:
        "../scripts/report.py"
