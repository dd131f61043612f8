"""All that a model's weights say: files of every band, and the places that the report shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.bands.registry import BandOptions, kind_of
from pipeline.core.atomic import write_text
from pipeline.dataset.story import read_story
from pipeline.fit.design import Design
from pipeline.fit.file import FitFile
from pipeline.fit.grams import Grams
from pipeline.fit.weights_file import WeightsFile
from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.meshes import cortex_of
from pipeline.matching.matches import Matches
from pipeline.tuning.band import BandReader, Said
from pipeline.tuning.colours import Picture
from pipeline.tuning.hemispheres import Hemispheres
from pipeline.tuning.meaning import predicted_voxels
from pipeline.tuning.mosaic import Mosaic
from pipeline.tuning.passages import Matcher
from pipeline.tuning.places import Places, as_json, heard, write_map
from pipeline.tuning.refits import Refits
from pipeline.tuning.subject import Subject, evenly, means
from pipeline.voxels.volume import Mask

FEWEST = 10  # predicted voxels, below which nothing is said of them; a region is one of its own
MOST_SHIFTED = 500  # voxels whose shifted responses are fitted
MOST_AGAIN = 1000  # voxels that are solved without each fold, beside those of the report


def write_tuning(
    subject: Subject,
    model: str,
    *,
    weights: WeightsFile,
    fit: FitFile,
    design: Design,
    options: Mapping[str, BandOptions],
    folds: Mapping[str, int],
    level: float,
    seed: int,
    output: Path,
    matches: Mapping[str, Mapping[str, Matches]] | None = None,
    grams: Grams | None = None,
    flat: FlatSurface | None = None,
) -> None:
    """Read the weights of a model: words, axes, colours and timing, a set of files a band.

    Everything is said of voxels that cross-validation says are predicted. Test stories choose
    nothing: passages of them at which most is predicted are shown beside the words. Files are named
    as the output is, which lists them and is written last.

    Parameters
    ----------
    subject : Subject
        Whose.
    model : str
        The model.
    weights, fit : WeightsFile, FitFile
        Of the model.
    design : Design
        The model's bands with all stories.
    options : mapping of band to BandOptions
        With the files of resources.
    folds : mapping of str to int
        Fold of each training story.
    level : float
        False discovery rate of the predicted voxels.
    seed : int
        Seed of the shifts.
    output : Path
        JSON to write.
    matches : mapping of band to mapping of story to Matches, optional
        Earlier moments that bands of the model found.
    grams : Grams, optional
        Gram matrices of the band pairs by fold.
    flat : FlatSurface, optional
        The subject's own cortex, flattened.
    """
    scores = fit.scores()
    chosen = np.flatnonzero(predicted_voxels(scores.r_train, level))
    stem = output.with_name(output.name.removesuffix("_tuning.json"))
    listing: dict[str, Any] = {"model": model, "n_predicted": len(chosen), "level": level}
    bands: dict[str, Any] = {}
    if len(chosen) >= (1 if subject.of_regions else FEWEST):
        picture = _picture(subject)
        places = Places.of(subject, chosen, picture)
        again = np.union1d(places.voxels, evenly(len(chosen), MOST_AGAIN))
        shifted = chosen[evenly(len(chosen), MOST_SHIFTED)]
        refits = Refits(
            subject, design, fit.alpha(), folds, shifted, chosen[again], seed, grams
        )  # fmt: skip
        said: dict[str, Said] = {}
        for band in weights.bands():
            own = weights.weights(band.name, chosen)
            reader = BandReader(
                subject, model, band, own, chosen, places.regions, places.voxels, refits, stem,
                picture, flat,
            )  # fmt: skip
            said[band.name] = reader.write(options[band.name], weights.summed())
        bands = {name: own.listing for name, own in said.items()}
        found = dict(matches or {}) | _evidence(subject, options)
        listing |= _write_places(
            subject, weights, fit, design, places, said, found, scores.r_cv, picture, stem
        )
    else:
        logging.warning(
            "%s, %s: %d voxels are predicted: too few", subject.name, model, len(chosen)
        )
    write_text(output, json.dumps(listing | {"bands": bands}, indent=1))


def _picture(subject: Subject) -> Picture | None:
    """The picture on which each voxel has a place; None, they have none, or no mesh is known."""
    if isinstance(subject.space, Mask):
        return Mosaic.of(subject.space)
    if subject.space is None:
        return None
    cortex = cortex_of(subject.space, subject.meshes)
    return None if cortex is None else Hemispheres.of(cortex, subject.space.n_values)


def _evidence(
    subject: Subject, options: Mapping[str, BandOptions]
) -> dict[str, dict[str, Matches]]:
    """Earlier moments of the test stories that bands of words alone rest on."""
    found = {}
    for name, own in options.items():
        if (evidence := kind_of(own.kind).evidence) is not None:
            read = partial(read_story, subject.dataset, subject.words)
            found[name] = {story: evidence(read(story), own.own) for story in subject.test}
    return found


def _write_places(
    subject: Subject,
    weights: WeightsFile,
    fit: FitFile,
    design: Design,
    places: Places,
    said: Mapping[str, Said],
    matches: Mapping[str, Mapping[str, Matches]],
    r_cv: np.ndarray,
    picture: Picture | None,
    stem: Path,
) -> dict[str, Any]:
    """Write the places that the report shows, and their map; returns their names for the list."""
    own = means([*places.regions.values(), *places.voxels[:, None]], len(places.chosen))
    matchers = []
    for band in design.bands:
        if band.name in matches and not weights.summed():
            by_delay = weights.weights(band.name, places.chosen) @ own
            found = matches[band.name]
            matchers.append(Matcher(band.name, band.values, band.delays, found, by_delay))
    apart = 1 + max(max(band.delays) for band in design.bands)
    moments = heard(subject, fit, places, matchers, apart)
    delays = {band.name: band.delays for band in design.bands}
    shown = as_json(
        subject, places, said, moments, delays=delays, matchers=matchers, r_cv=r_cv, picture=picture
    )
    listed = {"places": f"{stem.name}_places.json"}
    if picture is not None:
        listed["map"] = f"{stem.name}_places.png"
        label = write_map(picture, said, places.chosen, r_cv, stem.with_name(listed["map"]))
        shown["map"] = {"shape": picture.shape, "aspect": round(picture.aspect, 4), "says": label}
    write_text(stem.with_name(listed["places"]), json.dumps(shown, separators=(",", ":")))
    return listed
