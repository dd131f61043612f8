# Does anything reach a prediction that must not? A leak fails the workflow.


rule audit:
    input:
        manifest=MANIFEST,
        words=WORDS,
        basis=lambda w: basis_file(w.subject),
        responses=lambda w: responses_of(w.subject),
        features=lambda w: [band_file(w.subject, b) for b in audited_bands()],
        matches=lambda w: list(audited_matches(w.subject).values()),
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
        stories=lambda w: stories_of(w.subject),
        bands=audited_bands(),
        matches=lambda w: audited_matches(w.subject),
        options=lambda w: {
            b: band_options(CONFIG, b) | resources_of(b) for b in audited_bands()
        },
        delays=CONFIG["delays"],
        sample=CONFIG["audit"],
        seeds={key: CONFIG["seeds"][key] for key in ("matching", "audit")},
    script:
        "../scripts/audit.py"
