# Maps, timings and the report.
from pipeline.config.models import (
    controlled_models,
    copying_bands,
    explored_bands,
    match_times,
)
from pipeline.validation.regions import parcellation_files


rule subject_maps:
    input:
        manifest=MANIFEST,
        mask=masks(),
        fits=lambda w: FILES.fits(w.subject),
        statistics=lambda w: FILES.statistics(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_maps.json",
    log:
        f"{LOGS}/sub-{{subject}}/maps.log",
    benchmark:
        f"{BENCHMARKS}/subject_maps/{{subject}}.tsv"
    wildcard_constraints:
        subject=one_of(CONFIG["subjects"] if FILES.have_places() else []),
    priority: SOON
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(60),
    params:
        models=list(CONFIG["models"]),
        baseline=CONFIG["baseline"],
        contrasts={model: contrasts(CONFIG, model) for model in CONFIG["models"]},
        mask=CONFIG["mask"],
        recording=lambda w: FILES.on_surface(w.subject),
        meshes=lambda w: FILES.meshes(w.subject),
        figures_for=CONFIG["maps"]["figures_for"],
        level=CONFIG["statistics"]["alpha"],
    script:
        "../scripts/subject_maps.py"


rule regions:
    input:
        truth=FILES.truth(),
        manifest=MANIFEST,
        mask=masks(),
        regions=there(parcellation_files(CONFIG)),
        fits=FILES.fits(),
    output:
        table=FILES.of_run("regions.tsv"),
        charts=report(
            FILES.region_charts(),
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
        over=controlled_models(CONFIG),
        mask=CONFIG["mask"],
        regions=CONFIG["regions"],
        charted=FILES.charted(),
        figures_for=CONFIG["maps"]["figures_for"],
    script:
        "../scripts/regions.py"


rule tuning:
    input:
        manifest=MANIFEST,
        words=WORDS,
        truth=FILES.truth(),
        mask=masks(),
        regions=there(parcellation_files(CONFIG)),
        bands=lambda w: [FILES.band(w.subject, band) for band in FILES.models[w.model]],
        read=lambda w: [f for b in FILES.models[w.model] for f in read_by(b)],
        grams=lambda w: FILES.grams(w.subject, w.model),
        matches=lambda w: [
            FILES.matches(w.subject, b) for b in copying_bands(CONFIG, w.model)
        ],
        responses=lambda w: FILES.prepared_responses(w.subject),
        fit=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_fit.h5",
        weights=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_weights.h5",
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_tuning.json",
    log:
        f"{LOGS}/sub-{{subject}}/tuning_{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/tuning/{{subject}}_{{model}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(8),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        bands=lambda w: {b: options_of(b) for b in FILES.models[w.model]},
        delays=CONFIG["delays"],
        mask=CONFIG["mask"],
        recording=lambda w: FILES.on_surface(w.subject),
        meshes=lambda w: FILES.meshes(w.subject),
        regions=CONFIG["regions"],
        matching=lambda w: copying_bands(CONFIG, w.model),
        level=CONFIG["statistics"]["alpha"],
        n_folds=CONFIG["fit"]["n_folds"],
        seeds={key: CONFIG["seeds"][key] for key in ("folds", "permutation")},
    script:
        "../scripts/tuning.py"


rule webgl:
    input:
        mask=masks(),
        fits=lambda w: [FILES.fit(w.subject, m) for m in FILES.pictured_models()],
        tunings=lambda w: FILES.tunings_of(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_webgl/index.html",
    log:
        f"{LOGS}/sub-{{subject}}/webgl.log",
    benchmark:
        f"{BENCHMARKS}/webgl/{{subject}}.tsv"
    wildcard_constraints:
        subject=one_of(CONFIG["subjects"]),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(8),
        runtime=minutes(60),
    params:
        models=FILES.pictured_models(),
        mask=CONFIG["mask"],
    script:
        "../scripts/webgl.py"


rule explorer:
    input:
        manifest=MANIFEST,
        words=WORDS,
        truth=FILES.truth(),
        mask=masks(),
        regions=there(parcellation_files(CONFIG)),
        fits=lambda w: FILES.fits(w.subject),
        matches=lambda w: FILES.explored_matches(w.subject),
        passages=lambda w: FILES.explored_passages(w.subject),
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
        stories=lambda w: heard_stories(CONFIG, w.subject)["test"],
        models=CONFIG["models"],
        baseline=CONFIG["baseline"],
        explored=explored_bands(CONFIG),
        bands={
            band: match_times(CONFIG, band) for band in explored_bands(CONFIG).values()
        },
        recalling=recalling_models(CONFIG),
        mask=CONFIG["mask"],
        recording=lambda w: FILES.on_surface(w.subject),
        regions=CONFIG["regions"],
    script:
        "../scripts/explorer.py"


# What makes the folder of the run a BIDS derivative.
rule derivative:
    input:
        manifest=MANIFEST,  # nothing is written before the input is checked
    output:
        description=FILES.derivative()[0],
        others=FILES.derivative()[1:],
    log:
        f"{LOGS}/derivative.log",
    benchmark:
        f"{BENCHMARKS}/derivative.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        models=FILES.models,
        parts={
            key: CONFIG[key]
            for key in (
                "name",
                "features",
                "partitions",
                "fetch",
                "authors",
                "citation",
            )
        },
    script:
        "../scripts/derivative.py"


rule report:
    input:
        manifest=MANIFEST,
        warnings=f"{RESULTS}/warnings.txt",
        settings=SETTINGS,
        features=FILES.bands(),
        contamination=CONTAMINATION,
        familiarity=FILES.familiarity(),
        summary=f"{RESULTS}/summary.tsv",
        gains=f"{RESULTS}/gains.tsv",
        significance=f"{RESULTS}/significance.tsv",
        ceiling=f"{RESULTS}/ceiling.tsv",
        sweep_gains=expand("results/{name}/gains.tsv", name=CONFIG["report"]["sweep"]),
        sweep_provenance=expand(
            "results/{name}/provenance.json", name=CONFIG["report"]["sweep"]
        ),
        explorers=FILES.explorers(),
        regions=FILES.region_table(),
        charts=FILES.region_charts(),
        partition=FILES.partition_table(),
        shares=FILES.shares_table(),
        group=GROUP.tables(),
        group_maps=GROUP.maps(),
        controls=list(FILES.control_tables().values()),
        bases=FILES.used_bases(),
        fits=FILES.fits(),
        maps=FILES.maps(),
        tunings=FILES.tunings(),
        viewers=FILES.viewers(),
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
    script:
        "../scripts/report.py"
