# The side job: GIM as a language model, evaluated on text (docs/language_model.md).
LM = f"{RESULTS}/lm"
GIM = {key: CONFIG["lm"][key] for key in ("tokenizer", "context", "encoder")}


rule lm_index:
    input:
        there(CONFIG["lm"]["train"]),
    output:
        directory(f"{LM}/index"),
    log:
        f"{LOGS}/lm_index.log",
    benchmark:
        f"{BENCHMARKS}/lm_index.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4),
        runtime=minutes(240),
    params:
        command="index",
        files=CONFIG["lm"]["train"],
        flags={"tokenizer": CONFIG["lm"]["tokenizer"], "out": f"{LM}/index"},
    script:
        "../scripts/run_gim.py"


rule lm_tune:
    input:
        there(CONFIG["lm"]["train"]),
    output:
        tau=f"{LM}/tau.tsv",
        weights=f"{LM}/weights.json",
    log:
        f"{LOGS}/lm_tune.log",
    benchmark:
        f"{BENCHMARKS}/lm_tune.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6),
        runtime=minutes(480),
    params:
        command="tune",
        files=CONFIG["lm"]["train"],
        flags={
            **GIM,
            "every": CONFIG["lm"]["hold_out"],
            "stride": CONFIG["lm"]["tune_stride"],
            "out": f"{LM}/tau.tsv",
            "weights": f"{LM}/weights.json",
        },
    script:
        "../scripts/run_gim.py"


rule lm_eval:
    input:
        documents=there(CONFIG["lm"]["evaluate"]),
        index=f"{LM}/index",
        weights=f"{LM}/weights.json",
    output:
        multiext(f"{LM}/eval/", "summary.tsv", "paired.tsv", "eval.json", "eval.png"),
    log:
        f"{LOGS}/lm_eval.log",
    benchmark:
        f"{BENCHMARKS}/lm_eval.tsv"
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6),
        runtime=minutes(480),
    params:
        command="eval",
        files=CONFIG["lm"]["evaluate"],
        flags={
            **GIM,
            "index": f"{LM}/index",
            "weighted": f"{LM}/weights.json",
            "stride": CONFIG["lm"]["stride"],
            "models": CONFIG["lm"]["models"] or None,
            "out": f"{LM}/eval",
        },
    script:
        "../scripts/run_gim.py"
