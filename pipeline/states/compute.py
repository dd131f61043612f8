"""One pass of a model over every story, for all layers and pools that bands want of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gim.text.words import join_words
from pipeline.core.places import Places
from pipeline.core.progress import track
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, read_story
from pipeline.states.file import Block, StatesFile, as_kept
from pipeline.states.model import load_model, origin
from pipeline.states.reading import Reading, layers_of
from pipeline.states.resume import DoneStories

if TYPE_CHECKING:
    from gim.causal.hidden import Pool, WordStates


def write_states(
    dataset: Dataset,
    words_path: str | Path,
    *,
    stories: Sequence[str],
    reading: Reading,
    layers: Sequence[int],
    pools: Sequence[Pool],
    output: str | Path,
    places: Places | None = None,
) -> None:
    """Write the states of all stories, and say how many words a second were read.

    Parameters
    ----------
    dataset, words_path, stories
        As for `pipeline.bands.compute.stimulus_features`.
    reading : Reading
        How the model reads.
    layers, pools : sequences
        What is kept of it (`gim.causal.hidden.read_words`).
    output : path
        HDF5 to write (`pipeline.states.file.StatesFile`); stories that are done are kept beside it.
    places : Places, optional
        How folders are called in it.

    Raises
    ------
    InputError
        For a model that cannot be used, or does not have such layers.
    """
    import pandas as pd  # slow to import

    words = pd.read_parquet(words_path)
    about = origin(reading.model, reading.dtype)
    blocks = blocks_of(reading, layers, pools)
    facts = asdict(reading) | {"blocks": blocks, "revision": about.get("revision")}
    done = DoneStories(output, facts)
    began, n_read = time.perf_counter(), 0
    with StatesFile.create(output, blocks, places.hide(about) if places else about) as file:
        for name in track(stories, f"states of {about['name']}"):
            story = read_story(dataset, words, name)
            n_bytes = len(join_words(story.words["word"].tolist())[0].encode())
            kept = done.get(story, lambda s: _read(s, reading, layers, pools))
            file.write(name, kept["states"], kept["surprise"], n_bytes)
            n_read += len(story.words)
    rate = n_read / max(time.perf_counter() - began, 1e-9)
    logging.info("%s: %d words, %.0f a second", about["name"], n_read, rate)
    done.remove()


def blocks_of(reading: Reading, layers: Sequence[int], pools: Sequence[Pool]) -> list[Block]:
    """Pool, layer and width of each block of columns."""
    from gim.causal.hidden import checked_widths

    widths = checked_widths(load_model(reading.model, reading.dtype)[0], layers)
    return [(p, layer, w) for p in pools for layer, w in zip(layers, widths, strict=True)]


def read_states(
    words: Sequence[str], reading: Reading, layers: Sequence[int], pools: Sequence[Pool]
) -> WordStates:
    """What a model makes of every word of a text (`gim.causal.hidden.read_words`)."""
    from gim.causal.hidden import read_words

    model, tokenizer, bos = load_model(reading.model, reading.dtype)
    begin = bos if reading.bos else None
    context, step = reading.context, reading.step
    return read_words(model, tokenizer, words, layers, context, begin, step=step, pools=pools)


def _read(
    story: Story, reading: Reading, layers: Sequence[int], pools: Sequence[Pool]
) -> dict[str, np.ndarray]:
    found = read_states(story.words["word"].tolist(), reading, layers, pools)
    return {"states": as_kept(found.states), "surprise": found.surprise}


def band_states(story: Story, options: Mapping[str, Any]) -> np.ndarray:
    """States of a story's words that a band wants, read from its file or, without one, made."""
    layers, pool = layers_of(options), options["pool"]
    if path := options.get("states"):
        return StatesFile(path).read(story.name, layers, pool)
    return _read(story, Reading.of(options), layers, [pool])["states"].astype(np.float32)
