# Small subjects: one job for all that is made of one, as starting a job takes longer than what most of them do.
import hashlib
import json
from itertools import product

from pipeline.config.steps import Step, read_from_elsewhere, steps_to


# Rules whose jobs are steps of it, and what their wildcards may be beside the subject.
def _choices(subject):
    stories = [s for part in heard_stories(CONFIG, subject).values() for s in part]
    features, models = list(CONFIG["features"]), list(FILES.models)
    return {
        "prepare": {"story": stories},
        "response_basis": {},
        "matches": {"band": bands_from("matches")},
        "match_features": {"band": bands_from("matches")},
        "recording_features": {"band": bands_from("recording")},
        "response_features": {"band": bands_from("responses")},
        "recall": {"band": searching_bands()},
        "recalled_features": {"band": bands_from("memory")},
        "gram": {"a": features, "b": features},
        "fit_model": {"model": models},
        "weights": {"model": models},
        "ceiling": {},
        "model_statistics": {"model": list(CONFIG["models"])},
        "partition": {"partition": list(CONFIG["partitions"])},
        "audit": {},
        "tuning": {"model": models},
        "explorer": {},
    }


def _items(values):
    """Names and values of what a rule has."""
    return list(values.items()) or [("", value) for value in values]


def _steps(subject):
    """Steps from a subject's responses to everything but maps."""
    possible = []
    for name, choices in _choices(subject).items():
        proxy = getattr(rules, name)
        parts = {
            part: _items(getattr(proxy, part))
            for part in ("input", "output", "params", "log")
        }
        for values in product(*choices.values()):
            wildcards = {
                "subject": subject,
                **dict(zip(choices, values, strict=True)),
            }
            possible.append(Step(name, wildcards, **parts))
    return steps_to(FILES.made_of(subject), possible)


def _state():
    """A digest of what all steps are, and of their scripts."""
    filled = [step.filled() for steps in STEPS.values() for step in steps]
    texts = {n: Path(path).read_text(encoding="utf-8") for n, path in SCRIPTS.items()}
    text = json.dumps([filled, texts], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


SCRIPTS = {
    name: workflow.source_path(f"../scripts/{name}.py")
    for name in _choices(FILES.subjects[0])
}
STEPS = {subject: _steps(subject) for subject in FILES.subjects}

for subject, steps in STEPS.items():
    filled = [step.filled() | {"script": SCRIPTS[step.rule]} for step in steps]

    rule:
        name:
            f"steps_of_{subject}"
        input:
            FILES.steps(),
            lambda wildcards, read=read_from_elsewhere(steps): read,
        output:
            [path for step in steps for path in step.makes()],
        log:
            f"{LOGS}/sub-{subject}/subject.log",
        benchmark:
            f"{BENCHMARKS}/subject/{subject}.tsv"
        conda:
            "../environment.yaml"
        threads: CONFIG["fit"]["threads"]
        resources:
            mem_mb=memory(max(8, CONFIG["fit"]["memory_gb"])),
            runtime=minutes(240),
            gpu=gpus(),
        params:
            # Snakemake keeps the parameters with every file, but not what a function of the input gives.
            steps=lambda wildcards, input, filled=filled: filled,
        script:
            "../scripts/subject.py"


# Parameters of a job that has come to have more outputs are not compared by Snakemake, as the new ones have
# none yet: what has changed is asked of a file that is always the same one.
rule steps:
    input:
        MANIFEST,
    output:
        FILES.steps(),
    log:
        f"{LOGS}/steps.log",
    benchmark:
        f"{BENCHMARKS}/steps.tsv"
    localrule: True
    conda:
        "../environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2),
        runtime=minutes(10),
    params:
        state=_state(),
    script:
        "../scripts/steps.py"
