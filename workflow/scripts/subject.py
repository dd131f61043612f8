"""Rules steps_of_SUBJECT: the scripts of other rules, one after the other in one process."""

import runpy
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import job
from job import snakemake, work


class Named(list[Any]):
    """What a rule has, by position and by name, as Snakemake gives it to a script."""

    def __init__(self, items: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self.by_name: dict[str, Any] = {}
        for name, value in items:
            if name:
                self.by_name[name] = value
                setattr(self, name, value)
            self.extend(value if isinstance(value, list) else [value])

    def get(self, name: str) -> Any:
        """The value of that name, None if there is none."""
        return self.by_name.get(name)


class Step:
    """The job of another rule, a `job.Job` (`pipeline.config.steps.Step.filled`)."""

    def __init__(self, described: dict[str, Any], whole: job.Job) -> None:
        self.rule: str = described["rule"]
        self.input, self.output, self.params, self.log = (
            Named(described[part]) for part in ("input", "output", "params", "log")
        )
        self.wildcards = Named(described["wildcards"].items())
        self.threads, self.config = whole.threads, whole.config


def note(text: str) -> None:
    """Add to the log of the whole job; the steps' own logs take what they say."""
    with Path(snakemake.log[0]).open("a", encoding="utf-8") as log:
        log.write(text)


with work(snakemake):
    described_steps = snakemake.params.steps
for described in described_steps:
    job.snakemake = step = Step(described, snakemake)
    name, own_log = f"{step.rule} {' '.join(step.wildcards)}", Path(step.log[0])
    own_log.unlink(missing_ok=True)  # of an earlier run
    begun = time.monotonic()
    try:
        runpy.run_path(described["script"])
    except BaseException:
        said = own_log.read_text(encoding="utf-8") if own_log.exists() else traceback.format_exc()
        note(f"{name} failed\n{said}")
        raise
    note(f"{name}: {time.monotonic() - begun:.2f} s\n")
