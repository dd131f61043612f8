# From raw files to checked input and one table of words.
from pipeline.validation.texts import text_files

if CONFIG["simulate"] is not None:

    rule simulate:
        output:
            FILES.truth(),
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
        FILES.truth(),
    output:
        manifest=MANIFEST,
        warnings=f"{RESULTS}/warnings.txt",
        volumes=FILES.counted_volumes(),
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
        dataset=dataset_options(),
        parts={key: CONFIG[key] for key in ("simulate", "subjects", "stories")}
        | {"copies": CONFIG["allow"]["copies"]},
    script:
        "../scripts/validate.py"


# A new band or mask is checked by itself, and soon: everything depends on the check of the dataset,
# which need not be made again for it.
rule settings:
    input:
        manifest=MANIFEST,
        words=WORDS,
        lexicons=lexicons(),
    output:
        settings=SETTINGS,
        contamination=CONTAMINATION,
    log:
        f"{LOGS}/settings.log",
    benchmark:
        f"{BENCHMARKS}/settings.tsv"
    priority: 100
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        parts={
            key: CONFIG[key]
            for key in (
                "features",
                "models",
                "partitions",
                "eng1000",
                "coverage",
                "mask",
                "regions",
                "statistics",
            )
        },
        compared=compares(CONFIG),
        allowed=CONFIG["allow"]["contaminated"],
        fingerprint=fingerprint(CONFIG, settings_files(CONFIG)),
        texts=fingerprint(CONFIG, text_files(CONFIG)),
    script:
        "../scripts/settings.py"


rule prepare:
    input:
        manifest=MANIFEST,
        mask=masks(),
    output:
        f"{RESULTS}/sub-{{subject}}/responses/{{story}}.hf5",
    log:
        f"{LOGS}/sub-{{subject}}/prepare_{{story}}.log",
    benchmark:
        f"{BENCHMARKS}/prepare/{{subject}}_{{story}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(30),
    params:
        config=dataset_options() | {"mask": CONFIG["mask"]},
    script:
        "../scripts/prepare.py"


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
        words=WORDS,
        corpora=there(CONFIG["eng1000"]["corpora"]),
        basis_words=there(filter(None, [CONFIG["eng1000"]["basis_words"]])),
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
