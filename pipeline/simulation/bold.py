"""The BOLD that stories evoke: four regions, each with what one kind of feature can predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import gammainc

from pipeline.core.random import generator
from pipeline.core.series import zscore
from pipeline.simulation import lexicon
from pipeline.simulation.settings import Settings
from pipeline.simulation.story import Story

REGIONS = "ABCD"


def cumulative_hrf(seconds: np.ndarray) -> np.ndarray:
    """Integral from 0 of the double-gamma hemodynamic response function.

    Gamma densities of shape 6 (peak at 5 s) and, a sixth of it and negative, 16 (undershoot at
    15 s), scale 1 s: the canonical function of SPM.
    """
    t = np.maximum(seconds, 0)
    return gammainc(6, t) - gammainc(16, t) / 6


def evoked(times: np.ndarray, onsets: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Hemodynamic response to each stimulus, whose neural activity has area 1 whatever it lasts.

    Parameters
    ----------
    times : array of shape (n_rows,)
        When the response is measured, seconds.
    onsets, offsets : arrays of shape (n_stimuli,)
        Between them the neural activity is constant, seconds.

    Returns
    -------
    array of shape (n_rows, n_stimuli)
    """
    since_onset = times[:, None] - onsets
    since_offset = times[:, None] - offsets
    return (cumulative_hrf(since_onset) - cumulative_hrf(since_offset)) / (offsets - onsets)


@dataclass(frozen=True)
class Latents:
    """What a story evokes, before it is mapped to voxels.

    Parameters
    ----------
    meaning : array of shape (n_rows, rank_a)
        Response to the words' meaning.
    events : array of shape (n_rows, rank_b)
        Response to the events.
    recurring : array of shape (n_rows, rank_b)
        Its part that an earlier occurrence tells of.
    """

    meaning: np.ndarray
    events: np.ndarray
    recurring: np.ndarray


def latents(
    story: Story, meanings: dict[str, np.ndarray], settings: Settings, seed: int
) -> Latents:
    """Responses to a story in the spaces of meanings and of events.

    Parameters
    ----------
    story : Story
        Words and events.
    meanings : dict of str to array of shape (rank_a,)
        What each word evokes.
    settings : Settings
        `rank_b`, `null`.
    seed : int
        Seed of z(story, event), which is the same for all subjects.
    """
    times = story.grid.volume_starts()[story.grid.kept] + story.grid.tr / 2
    onsets, offsets = (np.array([word[i] for word in story.words]) for i in (0, 1))
    vectors = np.stack([meanings[word] for _, _, word in story.words])
    meaning = evoked(times, onsets, offsets) @ vectors

    told = [o for o in story.occurrences if o.kind != "decoy"]
    z = _event_vectors([(o.phrase, o.occurrence) for o in told], story.name, settings, seed)
    onsets, offsets = (np.array([getattr(o, n) for o in told]) for n in ("onset", "offset"))
    single = evoked(times, onsets, offsets)
    predictable = np.array([o.kind != "first" and not settings.null for o in told], dtype=bool)
    return Latents(meaning, single @ z, single[:, predictable] @ z[predictable])


def _event_vectors(
    told: Sequence[tuple[int, int]], story: str, settings: Settings, seed: int
) -> np.ndarray:
    """Vectors z of the occurrences, one an event, or in a null subject one an occurrence."""
    names = [f"{p}/{occurrence if settings.null else 0}" for p, occurrence in told]
    z = [generator(seed, "z", story, name).standard_normal(settings.rank_b) for name in names]
    return np.array(z).reshape(-1, settings.rank_b)


def word_meanings(vectors: np.ndarray, settings: Settings, seed: int) -> dict[str, np.ndarray]:
    """What each word evokes: Eng1000 mapped at random to `rank_a` dimensions of unit variance."""
    weights = generator(seed, "meaning").standard_normal((len(vectors), settings.rank_a))
    projected = vectors.T.astype(float) @ weights
    return dict(zip(lexicon.vocabulary(), projected / projected.std(axis=0), strict=True))


class Subject:
    """A subject's voxels: maps from what a story evokes to the regions, and noise.

    Parameters
    ----------
    name : str
        The subject; everything random here belongs to it alone.
    regions : array of str, shape (n_voxels,)
        Region of each voxel.
    stories : dict of str to Latents
        All stories, over which the signals are scaled to their signal-to-noise ratio.
    settings : Settings
        SNRs, ranks, `phi`.
    seed : int
        Seed of maps and noise.
    """

    def __init__(
        self,
        name: str,
        regions: np.ndarray,
        stories: dict[str, Latents],
        settings: Settings,
        seed: int,
    ) -> None:
        self.name, self.regions, self.stories = name, regions, stories
        self.settings, self.seed = settings, seed
        everything = stories.values()
        self.to_a = self._map("A", np.concatenate([s.meaning for s in everything]), settings.snr_a)
        self.to_b = self._map("B", np.concatenate([s.events for s in everything]), settings.snr_b)
        n_c = int((regions == "C").sum())
        # rows of unit length: a signal of unit variance in every voxel
        weights = generator(seed, name, "map", "C").standard_normal((settings.rank_c, n_c))
        self.to_c = weights / np.linalg.norm(weights, axis=0) * np.sqrt(settings.snr_c)

    def _map(self, region: str, latent: np.ndarray, snr: float) -> np.ndarray:
        """Random map to a region's voxels, with signals of variance `snr` there."""
        n_voxels = int((self.regions == region).sum())
        rng = generator(self.seed, self.name, "map", region)
        weights = rng.standard_normal((latent.shape[1], n_voxels))
        spread = (latent @ weights).std(axis=0)
        return weights * np.sqrt(snr) / np.where(spread > 0, spread, np.inf)

    def listen(self, story: str, repeat: int = 0) -> np.ndarray:
        """BOLD of one presentation, z-scored, array of shape (n_rows, n_voxels)."""
        rng = generator(self.seed, self.name, "noise", story, str(repeat))
        latent = self.stories[story]
        bold = rng.standard_normal((len(latent.meaning), len(self.regions)))
        bold[:, self.regions == "A"] += latent.meaning @ self.to_a
        bold[:, self.regions == "B"] += latent.events @ self.to_b
        bold[:, self.regions == "C"] += self._drift(rng, len(bold)) @ self.to_c
        return zscore(bold)

    def attainable_r(self, story: str, bold: np.ndarray) -> float:
        """Mean r in region B with the response to the recurrences, had their z been known.

        What a first occurrence evokes, and the noise, cannot be known; so no model of the events
        can be expected to do better. A null subject attains nothing.
        """
        known = zscore(self.stories[story].recurring @ self.to_b)
        return float((known * bold[:, self.regions == "B"]).mean())

    def _drift(self, rng: np.random.Generator, n_rows: int) -> np.ndarray:
        """AR(1) signals of unit variance, array of shape (n_rows, rank_c)."""
        phi = self.settings.phi
        innovation = rng.standard_normal((n_rows, self.settings.rank_c))
        innovation[1:] *= np.sqrt(1 - phi**2)  # the first row is drawn from the stationary process
        return lfilter([1.0], [1.0, -phi], innovation, axis=0)
