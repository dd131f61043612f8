"""Check the whole dataset before anything else, and list all its problems at once."""

from __future__ import annotations

from typing import Any

from pipeline.core.errors import Findings, Problem, ProblemError
from pipeline.validation.contamination import contamination
from pipeline.validation.coverage import lookups
from pipeline.validation.dataset import check_dataset
from pipeline.validation.settings import check_settings


def validate(config: dict[str, Any]) -> list[Problem]:
    """Check every input file that a configuration names.

    Parameters
    ----------
    config : dict
        Complete configuration (`pipeline.config.load.complete`).

    Returns
    -------
    list of Problem
        Warnings: what the workflow can live with (constant voxels, words after the scan).

    Raises
    ------
    ProblemError
        With all the problems of all the files.
    """
    dataset = check_dataset(config)
    known = lookups(config, dataset.words, built=False)
    texts = contamination(config, dataset.words)
    settings = check_settings(config, dataset.n_rows, dataset.n_voxels, known=known, texts=texts)
    return checked(dataset.findings, settings)


def checked(*found: Findings) -> list[Problem]:
    """The warnings of all checks, each once.

    Raises
    ------
    ProblemError
        With all their problems.
    """
    problems = [problem for findings in found for problem in findings.problems]
    if problems:
        raise ProblemError(dict.fromkeys(problems))
    return list(dict.fromkeys(warning for findings in found for warning in findings.warnings))
