# From raw files to checked input and one table of words.
if CONFIG["simulate"] is not None:

    rule simulate:
        output:
            f"{TRUTH}/settings.json",
        log:
            f"{LOGS}/simulate.log",
        benchmark:
            f"{BENCHMARKS}/simulate.tsv"
        conda:
            "../environment.yaml"
        threads: 1
        resources:
            mem_mb=memory(2),
            runtime=minutes(10),
        params:
            subjects=list(CONFIG["subjects"]),
            settings=CONFIG["simulate"],
            seed=CONFIG["seeds"]["simulation"],
        script:
            "../scripts/simulate.py"


rule validate:
    input:
        f"{TRUTH}/settings.json" if CONFIG["simulate"] is not None else [],
    output:
        manifest=MANIFEST,
        warnings=f"{RESULTS}/warnings.txt",
        volumes=counted_volumes(),
    log:
        f"{LOGS}/validate.log",
    benchmark:
        f"{BENCHMARKS}/validate.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(60),
    params:
        config={
            key: CONFIG[key]
            for key in (*KEYS, "simulate", "subjects", "stories", "features")
            + ("eng1000", "mask", "regions", "horizon", "statistics")
        },
        fingerprint=fingerprint(CONFIG),
    script:
        "../scripts/validate.py"


rule responses:
    input:
        MANIFEST,
    output:
        f"{RESULTS}/sub-{{subject}}/responses/{{story}}.hf5",
    log:
        f"{LOGS}/sub-{{subject}}/responses_{{story}}.log",
    benchmark:
        f"{BENCHMARKS}/responses/{{subject}}_{{story}}.tsv"
    wildcard_constraints:
        story="[^/]+",
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(30),
    params:
        config={key: CONFIG[key] for key in (*KEYS, "mask")},
    script:
        "../scripts/responses.py"


rule words:
    input:
        MANIFEST,
    output:
        WORDS,
    log:
        f"{LOGS}/words.log",
    benchmark:
        f"{BENCHMARKS}/words.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1),
        runtime=minutes(10),
    params:
        dataset=dataset_options(),
        stories=all_stories(CONFIG),
    script:
        "../scripts/words.py"


rule eng1000:
    input:
        WORDS,
    output:
        BUILT_ENG1000,
    log:
        f"{LOGS}/eng1000.log",
    benchmark:
        f"{BENCHMARKS}/eng1000.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
    params:
        options=CONFIG["eng1000"],
    script:
        "../scripts/eng1000.py"
