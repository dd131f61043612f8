# Fetch what the configuration needs, and no more. No other rule asks for it: a run never downloads by itself.
rule fetch:
    log:
        f"{LOGS}/fetch.log",
    localrule: True
    conda:
        "../environment.yaml"
    threads: CONFIG["fetch"]["jobs"]
    resources:
        mem_mb=memory(1),
        runtime=minutes(1440),
    params:
        config=CONFIG,
    script:
        "../scripts/fetch.py"
