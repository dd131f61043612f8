"""The controls of a run, each from its configuration to its table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from pipeline.bands.registry import band_options
from pipeline.config.results import Results
from pipeline.config.stories import heard_stories, shared_stories
from pipeline.core.progress import chunks, track
from pipeline.dataset.basis import BasisFile
from pipeline.dataset.dataset import Dataset
from pipeline.fit.cross_validation import choose_solver
from pipeline.fit.design import Design, load_band
from pipeline.fit.file import FitFile
from pipeline.fit.memory import refit_block_size
from pipeline.fit.options import FitOptions
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.refit import solve_again
from pipeline.matching.matches import load_matches
from pipeline.statistics.chunks import r_of_shuffled_chunks
from pipeline.statistics.intersubject import r_of_others
from pipeline.statistics.presentations import Heard, Made, heard_once
from pipeline.statistics.run import repeated
from pipeline.tables.controls import chunks_table, intersubject_table
from pipeline.tables.presentations import presentations_table

Config = dict[str, Any]


def shuffled_chunks(config: Config) -> pd.DataFrame:
    """What folds of shuffled chunks would have said, for the reference voxels of every subject."""
    files, dataset = Results(config), Dataset.from_config(config)
    keys = list(product(config["subjects"], config["controls"]["shuffled_chunks"]))
    fits = {key: files.fit(*key) for key in keys}
    voxels = {subject: _reference(config, subject) for subject in config["subjects"]}
    shuffled = {
        (subject, model): r_of_shuffled_chunks(
            dataset,
            subject,
            design=_design(files, subject, model, with_test=False),
            train=heard_stories(config, subject)["train"],
            options=_fit_options(config),
            voxels=voxels[subject],
        )
        for subject, model in track(keys, "shuffled chunks")
    }
    return chunks_table(fits, shuffled, voxels)


def intersubject(config: Config) -> pd.DataFrame:
    """Every model's test r beside what other listeners predict."""
    files, dataset, subjects = (
        Results(config),
        Dataset.from_config(config),
        list(config["subjects"]),
    )
    stories = shared_stories([heard_stories(config, subject) for subject in subjects])
    others = {
        subject: r_of_others(
            dataset,
            subject,
            [other for other in subjects if other != subject],
            method=config["controls"]["intersubject"],
            stories=stories,
            n_components=config["response_components"],
            options=_fit_options(config),
        )
        for subject in track(subjects, "other listeners")
    }
    fits = {key: files.fit(*key) for key in product(subjects, config["models"])}
    return intersubject_table(
        fits, others, method=config["controls"]["intersubject"], stories=stories["test"]
    )


def presentations(config: Config) -> pd.DataFrame:
    """Scores on single presentations of repeated test stories; no rows where there are none."""
    files, dataset = Results(config), Dataset.from_config(config)
    models = files.heard_singly()
    heard: dict[tuple[str, str, str], Heard] = {}
    counts: dict[tuple[str, str], int] = {}
    for subject in config["subjects"]:
        found = repeated(dataset, subject, heard_stories(config, subject)["test"])
        counts |= {(subject, story): n for story, n in found.items()}
        for model in track(models if found else [], f"{subject}: single presentations"):
            own = _heard(files, dataset, subject, model, list(found))
            heard |= {(subject, model, story): scored for story, scored in own.items()}
    uses_bold = {model: bool(files.made_from_bold(model)) for model in models}
    return presentations_table(heard, counts, uses_bold, config["baseline"])


def _heard(
    files: Results, dataset: Dataset, subject: str, model: str, stories: list[str]
) -> dict[str, Heard]:
    """Every repeated story, scored once more with the weights of a fit."""
    config = files.config
    train = heard_stories(config, subject)["train"]
    counted = dataset.counted(subject, [*train, *stories])
    design = _design(files, subject, model).counting(counted)
    alpha = FitFile(files.fit(subject, model)).alpha()
    made = {story: _made(files, subject, model, story) for story in stories}
    n_rows, n_voxels = sum(dataset.grid(story).n_rows for story in train), alpha.shape[1]
    options = _fit_options(config)
    solver = choose_solver("auto", n_rows, design.n_columns, n_rows)
    size = config["voxels_per_block"] or refit_block_size(
        n_voxels, options.memory_gb, solver, n_rows, design.n_columns, len(design.bands)
    )
    parts: dict[str, list[Heard]] = {story: [] for story in stories}
    for voxels in chunks(range(n_voxels), size):
        responses = dataset.read_counted(subject, train, voxels)
        weights, intercept = solve_again(
            design, responses, alpha[:, voxels], solver, options.device
        )
        for story in stories:
            presented = dataset.read_repeats(subject, story)
            assert presented is not None, "only repeated stories are asked for"
            parts[story].append(
                heard_once(
                    design,
                    made[story],
                    partial(_predict, weights=weights, intercept=intercept),
                    story=story,
                    measured=dataset.read_counted(subject, [story], voxels)[story],
                    presentations=presented,
                    voxels=voxels,
                    counted=counted.get(story, slice(None)),
                )
            )
    return {story: Heard.joined(own) for story, own in parts.items()}


def _predict(rows: np.ndarray, weights: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    return rows @ weights + intercept


def _made(files: Results, subject: str, model: str, story: str) -> Mapping[str, Made]:
    """How the bands of a model that are made of BOLD are made, in one story."""
    found = {}
    for band in files.made_from_bold(model):
        options = band_options(files.config, band)
        matches = None
        if options.source == "matches":
            matches = load_matches(files.matches(subject, band))[story]
        found[band] = Made(options, BasisFile(files.basis(subject)).basis(), matches)
    return found


def _design(files: Results, subject: str, model: str, with_test: bool = True) -> Design:
    """The bands of a model as they were fitted."""
    config, heard = files.config, heard_stories(files.config, subject)
    return Design(
        tuple(
            load_band(
                band,
                files.band(subject, band),
                options=band_options(config, band),
                delays=config["delays"],
                train=heard["train"],
                test=heard["test"] if with_test else [],
            )
            for band in files.models[model]
        )
    )


def _fit_options(config: Config) -> FitOptions:
    return FitOptions.read(config["fit"], config["seeds"], config["voxels_per_block"])


def _reference(config: Config, subject: str) -> slice:
    """The subject's reference voxels."""
    dataset, train = Dataset.from_config(config), heard_stories(config, subject)["train"]
    n = dataset.n_voxels(subject, train[0])
    return slice(0, n, reference_voxels(n, config["fit"]["reference_voxels"]).step)
