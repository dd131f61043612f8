# Does anything reach a prediction that must not? A leak fails the workflow.


rule audit:
    input:
        manifest=MANIFEST,
        words=WORDS,
        basis=lambda w: FILES.basis(w.subject),
        responses=lambda w: FILES.prepared_responses(w.subject),
        features=lambda w: [FILES.band(w.subject, b) for b in audited_bands(CONFIG)],
        matches=lambda w: list(FILES.audited_matches(w.subject).values()),
        contexts=[FILES.contexts(b) for b in searched_memories(CONFIG)],
        recall=lambda w: [FILES.recall(w.subject, b) for b in searched_memories(CONFIG)],
        recalled=lambda w: [
            path
            for bands in FILES.recalled(w.subject).values()
            for path in bands.values()
        ],
        through=lambda w: list(FILES.all_through(w.subject).values()),
    output:
        f"{RESULTS}/sub-{{subject}}/sub-{{subject}}_audit.tsv",
    log:
        f"{LOGS}/sub-{{subject}}/audit.log",
    benchmark:
        f"{BENCHMARKS}/audit/{{subject}}.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6),
        runtime=minutes(120),
    params:
        dataset=dataset_options(),
        stories=lambda w: heard_stories(CONFIG, w.subject),
        bands=audited_bands(CONFIG),
        matches=lambda w: FILES.audited_matches(w.subject),
        options=lambda w: {b: options_of(b) for b in audited_bands(CONFIG)},
        searching=lambda w: {b: options_of(b) for b in searched_memories(CONFIG)},
        recalled=lambda w: FILES.recalled(w.subject),
        through=lambda w: FILES.all_through(w.subject),
        delays=CONFIG["delays"],
        n_folds=CONFIG["fit"]["n_folds"],
        sample=CONFIG["audit"],
        seeds={key: CONFIG["seeds"][key] for key in ("matching", "audit", "folds")},
    script:
        "../scripts/audit.py"
