# One rule for each source of features; which feature space, and its options, is configuration.
from pipeline.bands.registry import LAG


rule stimulus_features:
    input:
        manifest=MANIFEST,
        words=WORDS,
        embedding=lambda w: embedding_input(w.band),
        models=lambda w: models_of(w.band),
        tables=lambda w: there(table_files(CONFIG, w.band)),
    output:
        f"{RESULTS}/features/{{band}}.h5",
    log:
        f"{LOGS}/features/{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/stimulus_features/{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("stimulus")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
        gpu=lambda w: gpus(w.band),
    params:
        dataset=dataset_options(),
        stories=all_stories(CONFIG),
        options=lambda w: options_of(w.band),
    script:
        "../scripts/stimulus_features.py"


rule response_basis:
    input:
        manifest=MANIFEST,
        responses=lambda w: FILES.prepared_responses(w.subject),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_basis.h5",
    log:
        f"{LOGS}/sub-{{subject}}/basis.log",
    benchmark:
        f"{BENCHMARKS}/response_basis/{{subject}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6),
        runtime=minutes(120),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        n_components=CONFIG["response_components"],
    script:
        "../scripts/response_basis.py"


rule matches:
    input:
        manifest=MANIFEST,
        words=WORDS,
        redrawn=lambda w: (
            FILES.matches(w.subject, band_options(CONFIG, w.band).redraws)
            if band_options(CONFIG, w.band).kind == LAG
            else []
        ),
        models=lambda w: models_of(w.band),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_matcher-{{band}}_matches.parquet",
    log:
        f"{LOGS}/sub-{{subject}}/matches_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/matches/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("matches")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: options_of(w.band),
        seed=CONFIG["seeds"]["matching"],
    script:
        "../scripts/matches.py"


rule match_features:
    input:
        matches=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_matcher-{{band}}_matches.parquet",
        basis=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_basis.h5",
    output:
        f"{RESULTS}/sub-{{subject}}/features/{{band}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/features_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/match_features/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("matches")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
    params:
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: band_options(CONFIG, w.band).as_mapping(),
    script:
        "../scripts/match_features.py"


rule response_features:
    input:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_basis.h5",
    output:
        f"{RESULTS}/sub-{{subject}}/features/{{band}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/features_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/response_features/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("responses")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
    params:
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: band_options(CONFIG, w.band).as_mapping(),
    script:
        "../scripts/response_features.py"
