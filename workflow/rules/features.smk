# One rule for each source of features; which feature space, and its options, is configuration.
from dataclasses import asdict

from pipeline.bands.registry import LAG
from pipeline.config.readings import readings
from pipeline.validation.bands import recording_files

READINGS = readings(CONFIG)


# One pass of a language model over every story, for all bands that want its states.
rule states:
    input:
        manifest=MANIFEST,
        words=WORDS,
        models=lambda w: models_of(READINGS[w.reading].bands[0]),
    output:
        f"{RESULTS}/states/{{reading}}.h5",
    log:
        f"{LOGS}/states/{{reading}}.log",
    benchmark:
        f"{BENCHMARKS}/states/{{reading}}.tsv"
    wildcard_constraints:
        reading=one_of(READINGS),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6),
        runtime=minutes(600),
        gpu=gpus(),
    params:
        dataset=dataset_options(),
        stories=all_stories(CONFIG),
        reading=lambda w: asdict(READINGS[w.reading].reading),
        layers=lambda w: sorted(READINGS[w.reading].layers),
        pools=lambda w: sorted(READINGS[w.reading].pools),
    script:
        "../scripts/states.py"


# How well each model foretells each story: one that it knows by heart tells nothing of brains.
rule familiarity:
    input:
        [FILES.states(key) for key in READINGS],
    output:
        f"{RESULTS}/familiarity.tsv",
    log:
        f"{LOGS}/familiarity.log",
    benchmark:
        f"{BENCHMARKS}/familiarity.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        readings=list(READINGS),
        train=CONFIG["stories"]["train"],
    script:
        "../scripts/familiarity.py"


rule stimulus_features:
    input:
        manifest=MANIFEST,
        words=WORDS,
        embedding=lambda w: embedding_input(w.band),
        states=lambda w: states_of(w.band),
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
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{band}}_matches.parquet",
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
        matches=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{band}}_matches.parquet",
        basis=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_basis.h5",
    output:
        f"{RESULTS}/sub-{{subject}}/features/{{band}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/features_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/match_features/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("matches")),
    priority: SOON
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


rule recording_features:
    input:
        manifest=MANIFEST,
        tables=lambda w: there(
            map(str, recording_files(CONFIG, band=w.band, subject=w.subject))
        ),
    output:
        f"{RESULTS}/sub-{{subject}}/features/{{band}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/features_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/recording_features/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("recording")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: band_options(CONFIG, w.band).as_mapping(),
    script:
        "../scripts/recording_features.py"


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


rule contexts:
    input:
        manifest=MANIFEST,
        words=WORDS,
        states=lambda w: states_of(w.band),
        models=lambda w: models_of(w.band),
        corpora=lambda w: corpora_of(w.band),
    output:
        f"{RESULTS}/memory/{{band}}_contexts.h5",
    log:
        f"{LOGS}/memory/{{band}}_contexts.log",
    benchmark:
        f"{BENCHMARKS}/contexts/{{band}}.tsv"
    wildcard_constraints:
        band=one_of(searching_bands()),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(120),
        gpu=lambda w: gpus(w.band),
    params:
        dataset=dataset_options(),
        stories=all_stories(CONFIG),
        options=lambda w: options_of(w.band),
        seed=CONFIG["seeds"]["matching"],
    script:
        "../scripts/contexts.py"


rule recall:
    input:
        f"{RESULTS}/memory/{{band}}_contexts.h5",
    output:
        recall=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{band}}_recall.h5",
        passages=f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_desc-{{band}}_passages.parquet",
    log:
        f"{LOGS}/sub-{{subject}}/recall_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/recall/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(searching_bands()),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(120),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: options_of(w.band),
        n_folds=CONFIG["fit"]["n_folds"],
        seeds={key: CONFIG["seeds"][key] for key in ("folds", "matching")},
    script:
        "../scripts/recall.py"


rule recalled_features:
    input:
        recall=lambda w: FILES.recall(w.subject, FILES.recalling(w.band)),
        through=lambda w: FILES.through(w.subject, w.band) or [],
        embedding=lambda w: embedding_input(w.band),
    output:
        f"{RESULTS}/sub-{{subject}}/features/{{band}}.h5",
    log:
        f"{LOGS}/sub-{{subject}}/features_{{band}}.log",
    benchmark:
        f"{BENCHMARKS}/recalled_features/{{subject}}_{{band}}.tsv"
    wildcard_constraints:
        band=one_of(bands_from("memory")),
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(60),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        options=lambda w: options_of(w.band),
    script:
        "../scripts/recalled_features.py"
