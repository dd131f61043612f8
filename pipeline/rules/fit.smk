# Banded ridge for every subject and model, and the table of all of them.
rule fit_model:
    input:
        manifest=MANIFEST,
        bands=lambda w: [
            band_file(w.subject, band) for band in CONFIG["models"][w.model]
        ],
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_model-{{model}}_fit.h5",
    log:
        f"{LOGS}/sub-{{subject}}/fit_{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_model/{{subject}}_{{model}}.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(8),
        runtime=240,
    params:
        dataset=dataset_options(),
        stories=lambda w: stories_of(w.subject),
        bands=lambda w: {b: band_options(CONFIG, b) for b in CONFIG["models"][w.model]},
        delays=CONFIG["delays"],
        options={key: value for key, value in CONFIG["fit"].items() if key != "threads"},
        seeds={key: CONFIG["seeds"][key] for key in ("folds", "search")},
        voxels_per_block=CONFIG["voxels_per_block"],
    script:
        "../scripts/fit_model.py"


rule summary:
    input:
        fits=all_fits(),
    output:
        f"{RESULTS}/summary.tsv",
    log:
        f"{LOGS}/summary.log",
    benchmark:
        f"{BENCHMARKS}/summary.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=10,
    params:
        subjects=list(CONFIG["subjects"]),
        models=list(CONFIG["models"]),
        baseline=CONFIG["baseline"],
        horizon=CONFIG["horizon"],
    script:
        "../scripts/summary.py"
