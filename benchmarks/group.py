"""Coverage and false positives of what is said over subjects, on simulated tables.

    python -m benchmarks.group [--tables 2000] [--maps 1000]

A table has a value (r, or a gain in r) of every subject, story and unit. Who has the effect, and
how subjects differ, is known. Its units go through the functions that make group.tsv; maps, smooth
noise on a volume and on the surface of spheres, through those that make the maps over subjects.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from benchmarks.common import timed, write
from pipeline.core.interval import interval, story_mean
from pipeline.statistics.prevalence import Prevalence
from pipeline.statistics.random_effects import random_effects
from pipeline.statistics.sign_flips import draw_flips, sign_flip_test
from pipeline.voxels.adjacency import surface_edges, volume_edges
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

ALPHA = 0.05
SUBJECTS, STORIES, UNITS = 12, 8, 6
NOISE = 0.03  # of a story's r, about what 500 voxels of a region and 300 TRs leave
TOGETHER = 0.5  # correlation of the noise of two units
STRONG, WEAK = 0.06, 0.02  # effects that a subject's own test finds nearly always, and seldom
FLIPS = 200
SIDE, POINTS, WIDTH = 8, 512, 1.0  # voxels along a volume, vertices of a sphere, sd of smoothing


@dataclass(frozen=True)
class World:
    """Subjects of a kind.

    Parameters
    ----------
    effect : float
        What those have who have it.
    prevalence : float or None
        Share of the population that has it; None, drawn for every table.
    exact : bool
        Whether exactly this share of the subjects has it; else each of them with this probability.
    subject_sd, story_sd : float
        How subjects differ beside that, and how stories do, alike in all subjects.
    """

    effect: float = 0.0
    prevalence: float | None = 2 / 3
    exact: bool = True
    subject_sd: float = 0.0
    story_sd: float = 0.0

    def table(self, rng: np.random.Generator) -> tuple[np.ndarray, float, np.ndarray]:
        """Values (subject, story, unit), the prevalence, and the stories' own means."""
        prevalence = float(rng.uniform()) if self.prevalence is None else self.prevalence
        if self.exact:
            has = rng.permutation(SUBJECTS) < round(prevalence * SUBJECTS)
        else:
            has = rng.uniform(size=SUBJECTS) < prevalence
        story = self.story_sd * rng.standard_normal(STORIES)
        own = self.effect * has + self.subject_sd * rng.standard_normal(SUBJECTS)
        common = np.sqrt(TOGETHER) * out_of_fold_noise(rng, 1)
        noise = common + np.sqrt(1 - TOGETHER) * out_of_fold_noise(rng, UNITS)
        return own[:, None, None] + story[:, None] + NOISE * noise, prevalence, story


def out_of_fold_noise(rng: np.random.Generator, n_units: int) -> np.ndarray:
    """Noise of variance 1, (subject, story, unit), of r that was learned on the other stories.

    It is a sum over these of the product of both stories' noises, which the other has, too.
    """
    products = rng.standard_normal((SUBJECTS, n_units, STORIES, STORIES))
    products = np.triu(products, 1)
    products = products + np.swapaxes(products, -1, -2)
    return np.moveaxis(products.sum(axis=-1) / np.sqrt(STORIES - 1), -1, 1)


WORLDS = {
    "nobody has it": World(prevalence=0.0),
    "subjects differ about 0": World(prevalence=0.5, subject_sd=STRONG),
    "eight of twelve have it": World(STRONG),
    "each has it with probability 2/3": World(STRONG, exact=False, subject_sd=0.02),
    "each has it with probability 1/10": World(STRONG, 0.1, exact=False, subject_sd=0.02),
    "with a probability from 0 to 1": World(STRONG, None, exact=False),
    "a weak effect, 2/3": World(WEAK, exact=False),
    "eight of twelve, stories differ": World(STRONG, story_sd=0.03),
}


def tables_of(world: World, n_tables: int, seed: int) -> dict[str, float]:
    """Rates over tables; those of single units are means over the units.

    Returns
    -------
    dict
        `own_positive`, of the subjects' own tests; `subj_covers`, the interval over subjects holds
        the mean of the population, `subj_covers_told`, that of the stories told,
        `subj_excludes_0`; `stories_exclude_0`, the interval over stories does,
        `independent_exclude_0`, one that takes these for independent; `flip`, a unit's p is below
        0.05, `flip_any`, the family-wise p of any unit; `prevalence_*`: its interval holds the
        truth (`covers`) or is above 0, mean of the most probable values (`map`), and truth;
        `majority_sure`, 95 % of the posterior is above a half.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n_tables):
        values, prevalence, story = world.table(rng)
        mean = values.mean(axis=1)
        effects = random_effects(mean)
        test = sign_flip_test(mean, draw_flips(SUBJECTS, FLIPS, rng))
        positive = np.array([story_mean(own).p for own in values]) < ALPHA
        posteriors = [Prevalence(int(k), SUBJECTS, ALPHA) for k in positive.sum(axis=0)]
        ends = np.array([p.interval() for p in posteriors])
        units = values.mean(axis=0)
        over_stories, independent = story_mean(units), np.array([interval(u) for u in units.T])
        truth = world.effect * prevalence

        def covers(true: float, lo: np.ndarray, hi: np.ndarray) -> float:
            return float(((lo <= true) & (true <= hi)).mean())

        rows.append(
            {
                "own_positive": positive.mean(),
                "subj_covers": covers(truth, effects.lo, effects.hi),
                "subj_covers_told": covers(truth + story.mean(), effects.lo, effects.hi),
                "subj_excludes_0": 1 - covers(0.0, effects.lo, effects.hi),
                "stories_exclude_0": 1 - covers(0.0, over_stories.lo, over_stories.hi),
                "independent_exclude_0": 1 - covers(0.0, independent[:, 1], independent[:, 2]),
                "flip": (test.p < ALPHA).mean(),
                "flip_any": float((test.p_fwer < ALPHA).any()),
                "prevalence_covers": covers(prevalence, ends[:, 0], ends[:, 1]),
                "prevalence_above_0": (ends[:, 0] > 0).mean(),
                "prevalence_map": np.mean([p.map for p in posteriors]),
                "prevalence_true": prevalence,
                "majority_sure": np.mean([p.above() > 0.95 for p in posteriors]),
            }
        )
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def volume() -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Neighbours of a cube of voxels, and what smooths noise there."""
    mask = Mask(nib.Nifti1Image(np.ones([SIDE] * 3, np.int8), np.eye(4)))
    sigma = (0, WIDTH, WIDTH, WIDTH)

    def smooth(noise: np.ndarray) -> np.ndarray:
        return gaussian_filter(noise.reshape(-1, *[SIDE] * 3), sigma).reshape(len(noise), -1)

    return volume_edges(mask), smooth


def sphere() -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Neighbours of a sphere's vertices (two hemispheres), and what smooths noise there."""
    at = (np.arange(POINTS // 2) + 0.5) / (POINTS // 2)
    polar, turn = np.arccos(1 - 2 * at), np.pi * (1 + 5**0.5) * np.arange(POINTS // 2)
    x, y = np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar)
    points = np.stack([x, y, np.cos(polar)], axis=1)
    faces = ConvexHull(points).simplices
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    kernel = np.exp(-((distance / (WIDTH * np.median(np.sort(distance)[:, 1]))) ** 2) / 2)
    vertices = Vertices.of_pair(POINTS // 2, POINTS // 2, "sphere")
    edges = surface_edges(vertices, {"left": faces, "right": faces})

    def smooth(noise: np.ndarray) -> np.ndarray:
        return np.concatenate([half @ kernel for half in np.split(noise, 2, axis=1)], axis=1)

    return edges, smooth


def maps_of(
    space: Callable[[], tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]],
    n_maps: int,
    seed: int,
) -> dict[str, float]:
    """Shares of maps without any effect in which something is found, family-wise."""
    edges, smooth = space()
    rng = np.random.default_rng(seed)
    n_units = edges.max() + 1
    found = []
    for _ in range(n_maps):
        noise = smooth(rng.standard_normal((SUBJECTS, n_units)))
        test = sign_flip_test(noise, draw_flips(SUBJECTS, FLIPS, rng), edges)
        assert test.p_cluster is not None
        below = [(test.p_fwer, ALPHA), (test.p_cluster, ALPHA), (test.p_cluster, 1.0)]
        found.append([(p < bound).any() for p, bound in below])
    rates = np.mean(found, axis=0).round(4).tolist()
    return dict(zip(("voxel", "cluster", "has_clusters"), rates, strict=True))


def measure(n_tables: int, n_maps: int, seed: int = 0) -> dict[str, Any]:
    """All figures of the record."""
    spaces = {"volume": volume, "surface": sphere}
    return {
        "tables": n_tables,
        "standard_error_of_5_percent": round((ALPHA * (1 - ALPHA) / n_tables) ** 0.5, 4),
        "worlds": {name: tables_of(world, n_tables, seed) for name, world in WORLDS.items()},
        "maps": n_maps,
        "false_positives_of_maps": {
            name: maps_of(space, n_maps, seed) for name, space in spaces.items()
        },
    }


def main() -> None:
    """Simulate, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=2000)
    parser.add_argument("--maps", type=int, default=1000)
    arguments = parser.parse_args()
    seconds, figures = timed(lambda: measure(arguments.tables, arguments.maps))
    write(
        "group",
        f"{SUBJECTS} subjects, {STORIES} stories, {UNITS} units with noise that correlates "
        f"{TOGETHER}; {FLIPS} sign flips; rates of tables, or means over their units, at 0.05",
        "the interval over stories, which takes these subjects for all (stories_exclude_0)",
        **figures,
        seconds=round(seconds, 1),
    )


if __name__ == "__main__":
    main()
