"""Subjects in one space, voxel by voxel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.statistics.prevalence import Prevalence, story_p
from pipeline.statistics.random_effects import random_effects
from pipeline.statistics.sign_flips import sign_flip_test


@dataclass(frozen=True)
class GroupMap:
    """What subjects have in common in every voxel, arrays of shape (n_voxels,).

    Parameters
    ----------
    mean, t : arrays
        Mean over subjects, and over its standard error; NaN where a subject has no value.
    p_fwer, p_cluster : arrays
        Sign-flip p against the largest voxel, and of the voxel's cluster against the largest
        cluster (`pipeline.statistics.sign_flips`); NaN of too few subjects, and `p_cluster` where
        nothing is known of neighbours.
    prevalence : array
        The most probable one (`pipeline.statistics.prevalence`).
    n_subjects : int
        Subjects.
    """

    mean: np.ndarray
    t: np.ndarray
    p_fwer: np.ndarray
    p_cluster: np.ndarray
    prevalence: np.ndarray
    n_subjects: int


def group_map(
    by_story: Iterable[np.ndarray], flips: np.ndarray, edges: np.ndarray | None, alpha: float
) -> GroupMap:
    """Put the subjects' own results together.

    Parameters
    ----------
    by_story : iterable of arrays of shape (n_stories, n_voxels)
        Of each subject, r or differences in r of its stories; NaN where a response does not vary.
    flips : array of shape (n_flips, n_subjects)
        `pipeline.statistics.sign_flips.draw_flips`.
    edges : array of int, shape (n_edges, 2), or None
        Pairs of neighbouring voxels.
    alpha : float
        Level of each subject's own test.
    """
    means, p = zip(*((values.mean(axis=0), story_p(values)) for values in by_story), strict=True)
    values = np.array(means)
    missing = np.isnan(values).any(axis=0)
    values[:, missing] = np.nan
    effects, test = random_effects(values), sign_flip_test(values, flips, edges)
    n = len(values)
    by_count = np.array([Prevalence(k, n, alpha).map for k in range(n + 1)])
    untested = missing | np.isnan(p).any(axis=0)
    prevalence = np.where(untested, np.nan, by_count[(np.array(p) < alpha).sum(axis=0)])
    p_cluster = np.full(len(missing), np.nan) if test.p_cluster is None else test.p_cluster
    return GroupMap(effects.mean, effects.t, test.p_fwer, p_cluster, prevalence, n)
