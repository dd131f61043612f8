# Banded ridge for every subject and model, and the table of all of them.
JOBS = CONFIG["fit"]["jobs"]
# What changes where and how the work is done, but not its results, is no parameter of a rule.
WORK = {"device", "jobs", "memory_gb", "threads"}


rule gram:
    input:
        manifest=MANIFEST,
        bands=lambda w: [FILES.band(w.subject, b) for b in dict.fromkeys((w.a, w.b))],
        # Which rows count, where some may not.
        responses=lambda w: (
            FILES.prepared_responses(w.subject)
            if CONFIG["responses"]["confounds"]
            else []
        ),
    output:
        f"{RESULTS}/sub-{{subject}}/grams/{{a}}_{{b}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/gram_{{a}}_{{b}}.log",
    benchmark:
        f"{BENCHMARKS}/gram/{{subject}}_{{a}}_{{b}}.tsv"
    wildcard_constraints:
        a=one_of(CONFIG["features"]),
        b=one_of(CONFIG["features"]),
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(4),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        train=lambda w: heard_stories(CONFIG, w.subject)["train"],
        bands=lambda w: {b: band_options(CONFIG, b).as_mapping() for b in (w.a, w.b)},
        delays=CONFIG["delays"],
        n_folds=CONFIG["fit"]["n_folds"],
        seed=CONFIG["seeds"]["folds"],
    script:
        "../scripts/gram.py"


rule fit_chunk:
    input:
        manifest=MANIFEST,
        bands=lambda w: [FILES.band(w.subject, band) for band in FILES.models[w.model]],
        read=lambda w: [
            f for b in FILES.models[w.model] for f in FILES.read_with(w.subject, b)
        ],
        grams=lambda w: FILES.grams(w.subject, w.model),
        responses=lambda w: FILES.prepared_responses(w.subject),
    output:
        temp(
            f"{RESULTS}/sub-{{subject}}/chunks/sub-{{subject}}_chunk-{{chunk}}_desc-{{model}}_fit.h5"
        ),
    log:
        f"{LOGS}/sub-{{subject}}/fit_{{model}}_{{chunk}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_chunk/{{subject}}_{{model}}_{{chunk}}.tsv"
    priority: SOON
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(CONFIG["fit"]["memory_gb"]),
        runtime=minutes(240),
        gpu=gpus(),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        bands=lambda w: {
            b: band_options(CONFIG, b).as_mapping() for b in FILES.models[w.model]
        },
        delays=CONFIG["delays"],
        options={k: v for k, v in CONFIG["fit"].items() if k not in WORK},
        seeds={key: CONFIG["seeds"][key] for key in ("folds", "search")},
    script:
        "../scripts/fit_model.py"


if JOBS == 1:

    use rule fit_chunk as fit_model with:
        output:
            f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_fit.h5",
        log:
            f"{LOGS}/sub-{{subject}}/fit_{{model}}.log",
        benchmark:
            f"{BENCHMARKS}/fit_model/{{subject}}_{{model}}.tsv"

else:

    rule fit_model:
        input:
            expand(
                f"{RESULTS}/sub-{{{{subject}}}}/chunks/sub-{{{{subject}}}}_chunk-{{chunk}}_desc-{{{{model}}}}_fit.h5",
                chunk=range(1, JOBS + 1),
            ),
        output:
            f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_fit.h5",
        log:
            f"{LOGS}/sub-{{subject}}/fit_{{model}}.log",
        benchmark:
            f"{BENCHMARKS}/fit_model/{{subject}}_{{model}}.tsv"
        conda:
            "../environment.yaml"
        threads: 1
        resources:
            mem_mb=memory(2),
            runtime=minutes(30),
        params:
            alphas=CONFIG["fit"]["alphas"],
        script:
            "../scripts/gather_fit.py"


rule weights:
    input:
        manifest=MANIFEST,
        bands=lambda w: [
            file
            for band in FILES.models[w.model]
            for file in FILES.made_from(w.subject, band).values()
        ],
        read=lambda w: [f for b in FILES.models[w.model] for f in read_by(b)],
        grams=lambda w: FILES.grams(w.subject, w.model),
        responses=lambda w: FILES.prepared_responses(w.subject),
        fit=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_fit.h5",
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{model}}_weights.h5",
    log:
        f"{LOGS}/sub-{{subject}}/weights_{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/weights/{{subject}}_{{model}}.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["fit"]["threads"]
    resources:
        mem_mb=memory(CONFIG["fit"]["memory_gb"]),
        runtime=minutes(60),
        gpu=gpus(),
    params:
        dataset=dataset_options(),
        train=lambda w: heard_stories(CONFIG, w.subject)["train"],
        bands=lambda w: {b: options_of(b) for b in FILES.models[w.model]},
        made_from=lambda w: {
            b: FILES.made_from(w.subject, b) for b in FILES.models[w.model]
        },
        delays=CONFIG["delays"],
        summed=CONFIG["keep"]["delays"] == "summed",
    script:
        "../scripts/weights.py"


rule summary:
    input:
        fits=FILES.fits(),
        contamination=CONTAMINATION,
        familiarity=FILES.familiarity(),
    output:
        summary=report(
            f"{RESULTS}/summary.tsv",
            caption="../captions/summary.rst",
            category="Tables",
        ),
        gains=report(
            f"{RESULTS}/gains.tsv",
            caption="../captions/gains.rst",
            category="Tables",
        ),
    log:
        f"{LOGS}/summary.log",
    benchmark:
        f"{BENCHMARKS}/summary.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(10),
    params:
        subjects=list(CONFIG["subjects"]),
        models=CONFIG["models"],
        baseline=CONFIG["baseline"],
        horizon=CONFIG["horizon"],
    script:
        "../scripts/summary.py"
