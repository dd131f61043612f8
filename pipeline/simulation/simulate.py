"""Write a simulated dataset in the layout of ds003020, with the ground truth beside it.

Stories of our own grammar tell events that come back, in the same words or in others. Region A of
the brain follows the words' meaning, B the events (so that only a match to the earlier occurrence
predicts it), C drifts on its own, D is noise. See docs/simulation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.random import generator
from pipeline.dataset.dataset import Dataset
from pipeline.simulation import bold, lexicon, write
from pipeline.simulation.settings import Settings, story_names
from pipeline.simulation.story import Story, tell

N_BASIS_WORDS = 985


def simulate(root: Path, subjects: Sequence[str], settings: Settings, seed: int) -> None:
    """Write a simulated dataset.

    Stories, z and word vectors are common to the subjects; maps and noise are a subject's own.
    Every random choice has a generator of its own, so that a story or subject more changes no
    other. `truth/settings.json` is written last, and taken away first: where it is, the dataset is
    complete.

    Parameters
    ----------
    root : Path
        The dataset's root; receives derivative/, truth/ and mask.nii.gz.
    subjects : sequence of str
        Subject labels.
    settings : Settings
        Sizes, signal-to-noise ratios and event statistics.
    seed : int
        Equal seeds give equal files.
    """
    from pipeline.simulation.brain import assign_regions, brain_mask  # nilearn is slow to import

    dataset = Dataset(Path(root), timing={})
    write.settings_path(dataset).unlink(missing_ok=True)
    train, test = story_names(settings)
    stories = [tell(name, generator(seed, "story", name), settings) for name in train + test]
    vectors = lexicon.embedding(generator(seed, "eng1000"), settings.semantic_rank, N_BASIS_WORDS)
    mask = brain_mask(settings.n_voxels)
    regions = assign_regions(mask, settings.shares)

    _write_stimuli(dataset, stories, vectors)
    write.write_mask(dataset.root / "mask.nii.gz", mask)
    meanings = bold.word_meanings(vectors, settings, seed)
    latents = {s.name: bold.latents(s, meanings, settings, seed) for s in stories}
    repeats = {test[0]: max(settings.n_repeats, 1)}
    attainable = [
        row
        for name in subjects
        for row in _write_subject(
            dataset, bold.Subject(name, regions, latents, settings, seed), repeats
        )
    ]
    write.write_events(dataset.truth / "events.tsv", stories)
    write.write_regions(dataset.truth / "regions.h5", dict.fromkeys(subjects, regions))
    columns = ["subject", "story", "attainable_r"]
    write.write_table(dataset.truth / "oracle.tsv", pd.DataFrame(attainable, columns=columns))
    write.write_settings(write.settings_path(dataset), settings, seed, subjects)


def _write_stimuli(dataset: Dataset, stories: Sequence[Story], vectors: np.ndarray) -> None:
    write.write_respdict(dataset.respdict, stories)
    write.write_eng1000(dataset.eng1000, vectors)
    for story in stories:
        odd = int(story.name[-2:]) % 2 == 1  # transcripts come in both of Praat's formats
        write.write_textgrid(dataset.transcript(story.name), story, short=odd)


def _write_subject(
    dataset: Dataset, subject: bold.Subject, repeats: dict[str, int]
) -> list[tuple[str, str, float]]:
    """Write a subject's responses; return its attainable r in every story."""
    attainable = []
    for story in subject.stories:
        presentations = [subject.listen(story, i) for i in range(repeats.get(story, 1))]
        data = write.write_responses(dataset.responses(subject.name, story), presentations)
        attainable.append((subject.name, story, subject.attainable_r(story, data)))
    return attainable
