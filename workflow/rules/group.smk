# What subjects have in common: only in runs of two subjects or more.
from pipeline.config.models import group_comparisons
from pipeline.validation.regions import parcellation_files

if GROUP.tables():

    rule group:
        input:
            truth=FILES.truth(),
            manifest=MANIFEST,
            mask=masks(),
            regions=there(parcellation_files(CONFIG)),
            fits=FILES.fits(),
        output:
            group=GROUP.tables()[0],
            subjects=GROUP.tables()[1],
        log:
            f"{LOGS}/group.log",
        benchmark:
            f"{BENCHMARKS}/group.tsv"
        conda:
            "../environment.yaml"
        threads: 1
        resources:
            mem_mb=memory(4),
            runtime=minutes(30),
        params:
            subjects=list(CONFIG["subjects"]),
            models=list(CONFIG["models"]),
            baseline=CONFIG["baseline"],
            comparisons=group_comparisons(CONFIG),
            mask=CONFIG["mask"],
            regions=CONFIG["regions"],
            alpha=CONFIG["statistics"]["alpha"],
            permutations=CONFIG["statistics"]["permutations"],
            seed=CONFIG["seeds"]["permutation"],
        script:
            "../scripts/group.py"


if GROUP.maps():

    rule group_maps:
        input:
            manifest=MANIFEST,
            mask=masks(),
            fits=FILES.fits(),
        output:
            GROUP.maps()[0],
        log:
            f"{LOGS}/group_maps.log",
        benchmark:
            f"{BENCHMARKS}/group_maps.tsv"
        conda:
            "../environment.yaml"
        threads: 1
        resources:
            mem_mb=memory(8),
            runtime=minutes(120),
        params:
            subjects=list(CONFIG["subjects"]),
            models=CONFIG["models"],
            comparisons=group_comparisons(CONFIG),
            mask=CONFIG["mask"],
            recordings={s: FILES.on_surface(s) for s in CONFIG["subjects"]},
            meshes=FILES.meshes(FILES.subjects[0]),
            figures_for=CONFIG["maps"]["figures_for"],
            options={k: v for k, v in CONFIG["statistics"].items() if k != "contrasts"},
            seed=CONFIG["seeds"]["permutation"],
        script:
            "../scripts/group_maps.py"
