"""Subjects in one space, voxel by voxel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.interval import story_mean
from pipeline.core.random import generator
from pipeline.fit.file import FitFile
from pipeline.maps.group import write_group_maps
from pipeline.maps.meshes import meshes_of
from pipeline.maps.sidecars import write_group_sidecars
from pipeline.statistics.options import TestOptions
from pipeline.statistics.prevalence import Prevalence
from pipeline.statistics.random_effects import random_effects
from pipeline.statistics.sign_flips import draw_flips, out_of_reach, sign_flip_test
from pipeline.voxels.adjacency import surface_edges, volume_edges
from pipeline.voxels.common import common_vertices, common_voxels
from pipeline.voxels.vertices import Vertices
from pipeline.voxels.volume import Mask

Fits = Mapping[tuple[str, str], str | Path]  # (subject, model) to file
Comparison = tuple[str, str | None]  # a model, and what is subtracted


def by_story(fits: Fits, subject: str, comparison: Comparison) -> np.ndarray:
    """Out-of-fold r of a model, or minus that of another, array of shape (n_train, n_voxels)."""
    model, baseline = comparison
    r = FitFile(fits[subject, model]).scores().r_train
    return r if baseline is None else r - FitFile(fits[subject, baseline]).scores().r_train


def group_maps(
    stories: Iterable[np.ndarray], flips: np.ndarray, edges: np.ndarray | None, alpha: float
) -> dict[str, np.ndarray]:
    """Put the subjects' own results together.

    Parameters
    ----------
    stories : iterable of arrays of shape (n_stories, n_voxels)
        Of each subject, `by_story`; NaN where a response does not vary, which is left out.
    flips : array of shape (n_flips, n_subjects)
        `pipeline.statistics.sign_flips.draw_flips`.
    edges : array of int, shape (n_edges, 2), or None
        Pairs of neighbouring voxels.
    alpha : float
        Level of each subject's own test.

    Returns
    -------
    dict of statistic to array of shape (n_voxels,)
        `mean` over subjects, NaN where one of them has no value in any story, and `t`; `pfwer` and
        `pcluster`, sign-flip p against the largest voxel, and of the voxel's cluster against the
        largest cluster, NaN of too few subjects; `prevalence`, the most probable one.
    """
    own = [story_mean(values) for values in stories]
    values, p = np.array([each.mean for each in own]), np.array([each.p for each in own])
    missing = np.isnan(values).any(axis=0)
    values[:, missing] = np.nan
    effects, test = random_effects(values), sign_flip_test(values, flips, edges)
    n = len(values)
    by_count = np.array([Prevalence(k, n, alpha).map for k in range(n + 1)])
    untested = missing | np.isnan(p).any(axis=0)
    none = np.full(len(missing), np.nan)
    return {
        "mean": effects.mean,
        "t": effects.t,
        "pfwer": test.p_fwer,
        "pcluster": none if test.p_cluster is None else test.p_cluster,
        "prevalence": np.where(untested, np.nan, by_count[(p < alpha).sum(axis=0)]),
    }


def write_group(
    fits: Fits,
    comparisons: Sequence[Comparison],
    bands: Mapping[str, Sequence[str]],
    *,
    places: Mapping[str, Mask | Vertices],
    folder: Path,
    options: TestOptions,
    seed: int,
    figures_for: Sequence[str] | None = None,
    meshes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write the maps over subjects, if these are in one space.

    Parameters
    ----------
    fits : mapping of (subject, model) to path
        HDF5 of the fits.
    comparisons : sequence of (model, baseline or None)
        What is compared.
    bands : mapping of model to sequence of str
        The models' bands.
    places : mapping of subject to Mask, or to Vertices
        Where the subjects' values are.
    folder : Path
        Where the files go.
    options : TestOptions
        Level and permutations.
    seed : int
        Of the sign flips, which are those of group.tsv.
    figures_for, meshes
        `pipeline.maps.group.write_group_maps`.

    Returns
    -------
    dict
        `maps`, one record a file; `n_subjects`; `notes`, why there are none, or no clusters.
    """
    for path in folder.glob("*stat-*"):  # of an earlier run, perhaps of models that are no more
        path.unlink()
    subjects = list(places)
    common, notes = _common(places), []
    if isinstance(common, str):
        return {"maps": [], "n_subjects": len(subjects), "notes": [common]}
    place, chosen = common
    edges = _edges(place, meshes)
    if edges is None:
        notes.append("no clusters: no mesh of the vertices is on this disk (`surface` names one)")
    flips = draw_flips(len(subjects), options.permutations, generator(seed, "group"))
    notes += out_of_reach(len(subjects), len(flips), options.alpha)
    found = {
        comparison: group_maps(
            (by_story(fits, s, comparison)[:, chosen[s]] for s in subjects),
            flips,
            edges,
            options.alpha,
        )
        for comparison in comparisons
    }
    if all(np.isnan(own["mean"]).all() for own in found.values()):
        notes.append("no voxel has a value in all subjects")
    records = write_group_maps(
        found,
        bands,
        places=place,
        folder=folder,
        n_subjects=len(subjects),
        level=options.alpha,
        figures_for=figures_for,
        meshes=meshes,
    )
    write_group_sidecars(records, folder, fits)
    return {"maps": records, "n_subjects": len(subjects), "notes": notes}


def _common(
    places: Mapping[str, Mask | Vertices],
) -> tuple[Mask | Vertices, dict[str, Any]] | str:
    """Where the values that all subjects have lie, and which of each subject's they are."""
    masks = {s: place for s, place in places.items() if isinstance(place, Mask)}
    if masks:
        return common_voxels(masks)
    vertices = {s: place for s, place in places.items() if isinstance(place, Vertices)}
    found = common_vertices(vertices)
    return found if isinstance(found, str) else (found, dict.fromkeys(places, slice(None)))


def _edges(place: Mask | Vertices, meshes: Mapping[str, str] | None) -> np.ndarray | None:
    """Pairs of neighbours; None of vertices without a mesh."""
    if isinstance(place, Mask):
        return volume_edges(place)
    if not place.hemispheres:  # voxels below the cortex alone
        return surface_edges(place, {})
    found = meshes_of(place, meshes)
    if found is None:
        return None
    return surface_edges(place, {side: np.asarray(m.faces) for side, m in found[0].items()})
