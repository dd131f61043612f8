"""Check what bands, masks and regions are read from, what texts are known, and what tests need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.errors import Findings
from pipeline.dataset.dataset import Dataset
from pipeline.validation.bands import check_bands
from pipeline.validation.cleaning import check_cleaning
from pipeline.validation.contamination import Contamination, check_contamination
from pipeline.validation.coverage import Lookup, check_coverage
from pipeline.validation.embedding import check_embedding, embedding_files, needs
from pipeline.validation.masks import check_masks, check_meshes
from pipeline.validation.models import (
    check_language_models,
    check_models,
    check_outputs,
    language_models,
    model_files,
)
from pipeline.validation.regions import check_regions
from pipeline.validation.significance import check_floors
from pipeline.validation.stories import check_shifts
from pipeline.validation.tables import check_tables
from pipeline.validation.webgl import check_webgl


def check_settings(
    config: dict[str, Any],
    n_rows: Mapping[str, int],
    n_voxels: Mapping[str, int],
    *,
    known: Sequence[Lookup],
    texts: Contamination,
) -> Findings:
    """Check what bands, masks and regions are read from, and what tests need.

    Parameters
    ----------
    config : dict
        Complete configuration.
    n_rows, n_voxels : mappings of str to int
        Of `check_dataset`, or of a `manifest`.
    known : sequence of Lookup
        How many words the bands' lexicons know (`pipeline.validation.coverage.lookups`).
    texts : Contamination
        Which stories stand in texts that bands know (`pipeline.validation.contamination`).
    """
    dataset, tests, findings = Dataset.from_config(config), config["statistics"], Findings()
    if tests["scheme"] == "shift":
        tested = {s: n_rows[s] for s in config["stories"]["test"] if s in n_rows}
        findings.add(check_shifts(tested, tests["min_shift"]))
    if not findings.problems:
        findings.add(check_floors(config, n_rows))
    if needs(config, "truth") and not dataset.truth.is_dir():
        what = "a band needs the ground truth, which simulated datasets alone have"
        findings.problem(dataset.truth, "features", what, "remove the band, or set `simulate`")
    is_built = bool(config["eng1000"]["corpora"])
    findings.add(check_embedding(embedding_files(config), is_built))
    findings.add(check_coverage(known, config["coverage"]))
    findings.add(check_models(model_files(config)))
    findings.add(check_outputs(config, model_files(config)))
    findings.add(check_bands(config))
    findings.add(check_cleaning(config))
    findings.add(check_language_models(language_models(config)))
    findings.add(check_tables(config, n_rows))
    findings.add(check_masks(config, n_voxels))
    findings.add(check_meshes(config))
    findings.add(check_webgl(config))
    findings.add(check_contamination(texts, config["allow"]["contaminated"]))
    findings.add(check_regions(config))
    return findings
