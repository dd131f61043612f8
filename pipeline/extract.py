"""Features of all stories: from the stimulus, from a subject's BOLD, and from matches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from pipeline.atomic import atomic_h5
from pipeline.dataset import Dataset
from pipeline.features import Story, kind_of
from pipeline.matchers import LAG, matchers
from pipeline.matchers.lag import redraw
from pipeline.matching import (
    Matches,
    generator,
    induction_features,
    load_matches,
    newest_match,
    save_matches,
)
from pipeline.progress import track
from pipeline.responses import fit_basis


def read_story(dataset: Dataset, words: pd.DataFrame, name: str) -> Story:
    """A story as features see it; `words` is the table of all stories' words."""
    own = words[words["story"] == name].reset_index(drop=True)
    return Story(name, own, dataset.grid(name))


def stimulus_features(
    dataset: Dataset,
    words_path: str | Path,
    stories: Sequence[str],
    options: dict[str, Any],
    output: str | Path,
) -> None:
    """Compute a feature space of the stimulus for every story.

    Parameters
    ----------
    dataset : Dataset
        Where the TR grids are.
    words_path : path
        Parquet of all words (`pipeline.stimuli.read_stories`).
    stories : sequence of str
        Stories wanted.
    options : dict
        Options of the band, with the paths of its resources.
    output : path
        HDF5 to write: one dataset a story, (n_rows, n_features) float32.
    """
    words = pd.read_parquet(words_path)
    compute = kind_of(options["kind"]).compute
    with atomic_h5(output) as file:
        for name in track(stories, f"{options['kind']} features"):
            values = compute(read_story(dataset, words, name), options)
            file.create_dataset(name, data=values.astype(np.float32), compression="lzf")


def response_basis(
    dataset: Dataset,
    subject: str,
    train: Sequence[str],
    test: Sequence[str],
    n_components: int,
    output: str | Path,
) -> None:
    """Fit a subject's principal components on training stories and project every story on them.

    Writes HDF5: `components` (n_components, n_voxels), `mean`, `variance`, and `scores/STORY`
    (n_rows, n_components).
    """
    basis = fit_basis(dataset, subject, train, n_components)
    with atomic_h5(output) as file:
        file["components"] = basis.components.astype(np.float32)
        file["mean"] = basis.mean
        file["variance"] = basis.variance
        for story in track([*train, *test], f"{subject}: component scores"):
            file[f"scores/{story}"] = basis.scores(dataset.read_responses(subject, story))


def read_scores(path: str | Path, stories: Sequence[str]) -> dict[str, np.ndarray]:
    """Component scores of each story, arrays of shape (n_rows, n_components)."""
    with h5py.File(path) as file:
        return {story: np.asarray(file[f"scores/{story}"]) for story in stories}


def response_features(
    basis_path: str | Path, stories: Sequence[str], options: dict[str, Any], output: str | Path
) -> None:
    """Compute a feature space of the subject's own past BOLD for every story."""
    compute = kind_of(options["kind"]).compute
    with atomic_h5(output) as file:
        for story, scores in read_scores(basis_path, stories).items():
            values = compute(scores, options["horizon"], options)
            file.create_dataset(story, data=values.astype(np.float32))


def match_stories(
    dataset: Dataset,
    words_path: str | Path,
    stories: Sequence[str],
    subject: str,
    band: str,
    options: dict[str, Any],
    seed: int,
) -> dict[str, Matches]:
    """Match every row of every story to an earlier row of it."""
    words = pd.read_parquet(words_path)
    match = matchers()[options["kind"]].match
    matched = {}
    for name in track(stories, f"{band} matches"):
        story = read_story(dataset, words, name)
        newest = newest_match(story.grid.n_rows, options["horizon"], options)
        matched[name] = match(story, newest, generator(seed, subject, band, name), options)
    return matched


def find_matches(
    dataset: Dataset,
    words_path: str | Path,
    stories: Sequence[str],
    train: Sequence[str],
    subject: str,
    band: str,
    options: dict[str, Any],
    seed: int,
    redrawn: str | Path | None,
    output: str | Path,
) -> None:
    """Write the matches of a matcher, or the redraws of a lag-matched control.

    Parameters
    ----------
    dataset, words_path, stories, options
        As for `stimulus_features`.
    train : sequence of str
        Training stories, whose lags a lag-matched control draws from.
    subject, band : str
        Names that give the random generator its own stream.
    seed : int
        Seed of the random controls.
    redrawn : path or None
        Matches of the matcher that a lag-matched control stands for.
    output : path
        Parquet to write.
    """
    if options["kind"] == LAG:
        newest = {
            s: newest_match(dataset.grid(s).n_rows, options["horizon"], options) for s in stories
        }
        assert redrawn is not None, "a lag control redraws the matches of another band"
        matched = redraw(
            load_matches(redrawn), newest, train, seed, f"{subject}/{band}",
            options["draws"], options["bins"],
        )  # fmt: skip
    else:
        matched = match_stories(dataset, words_path, stories, subject, band, options, seed)
    save_matches(output, matched)


def match_features(
    matches_path: str | Path,
    basis_path: str | Path,
    stories: Sequence[str],
    options: dict[str, Any],
    output: str | Path,
) -> None:
    """Write how the BOLD changed after the matched rows of every story."""
    matched = load_matches(matches_path)
    with atomic_h5(output) as file:
        for story, scores in read_scores(basis_path, stories).items():
            values = induction_features(matched[story], scores, options["offsets"])
            file.create_dataset(story, data=values.astype(np.float32))
