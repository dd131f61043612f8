# Training an encoder for fuzzy matching: a teacher, then its distillation (docs/training.md).
from pipeline.language_model import training_files

TRAINED = training_files(CONFIG["training"])


rule pretrain:
    input:
        config=TRAINED["pretrain"]["config"],
        corpora=there(TRAINED["pretrain"]["corpora"]),
    output:
        TRAINED["pretrain"]["made"],
    log:
        f"{LOGS}/pretrain.log",
    benchmark:
        f"{BENCHMARKS}/pretrain.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["training"]["threads"]
    resources:
        mem_mb=memory(8),
        runtime=minutes(1440),
        gpu=gpus(),
    params:
        command="pretrain",
        files=[],
        flags={"config": TRAINED["pretrain"]["config"]},
    script:
        "../scripts/run_gim.py"


rule distill:
    input:
        config=TRAINED["distill"]["config"],
        corpora=there(TRAINED["distill"]["corpora"]),
        teacher=TRAINED["distill"]["teacher"],
    output:
        TRAINED["distill"]["made"],
    log:
        f"{LOGS}/distill.log",
    benchmark:
        f"{BENCHMARKS}/distill.tsv"
    conda:
        "../environment.yaml"
    threads: CONFIG["training"]["threads"]
    resources:
        mem_mb=memory(8),
        runtime=minutes(1440),
        gpu=gpus(),
    params:
        command="distill",
        files=[],
        flags={"config": TRAINED["distill"]["config"]},
    script:
        "../scripts/run_gim.py"
