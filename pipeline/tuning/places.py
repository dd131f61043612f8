"""Places that the report shows one at a time: their words, timing and passages, in few bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.core.atomic import atomic_path
from pipeline.dataset.dataset import NAMED
from pipeline.fit.file import FitFile
from pipeline.maps.scale import correlation_scale
from pipeline.tuning.band import Said
from pipeline.tuning.colours import Picture
from pipeline.tuning.passages import Matcher, Passage, contributing, passages
from pipeline.tuning.subject import ALL, Subject, evenly, means
from pipeline.voxels.vertices import called

MOST_VOXELS = 300  # that can be chosen one by one
MOST_REGIONS = 24  # of a parcellation, those of the most predicted voxels
MOST_WORDS = 12  # at either end


@dataclass(frozen=True, eq=False)
class Places:
    """What can be chosen.

    Parameters
    ----------
    chosen : array of int, shape (n_chosen,)
        Voxels that are predicted.
    regions : dict of str to array of int
        Regions, as voxels among the chosen ones.
    voxels : array of int
        Single voxels, among the chosen ones.
    """

    chosen: np.ndarray
    regions: dict[str, np.ndarray]
    voxels: np.ndarray

    @classmethod
    def of(cls, subject: Subject, chosen: np.ndarray, picture: Picture | None) -> Places:
        """All regions, and voxels evenly spaced over those that the picture shows.

        Where voxels are regions themselves, there are no others.
        """
        if subject.of_regions:
            return cls(chosen, subject.places(chosen), chosen[:0])
        there = np.arange(len(chosen)) if picture is None else np.flatnonzero(picture.shown[chosen])
        voxels = there[evenly(len(there), MOST_VOXELS)] if len(there) else there
        return cls(chosen, subject.places(chosen), voxels)

    def shown(self) -> list[int]:
        """Numbers of the regions that can be chosen: the largest of every parcellation."""
        largest: dict[str, list[int]] = {}
        sizes = [len(own) for own in self.regions.values()]
        names = list(self.regions)
        for i in sorted(range(len(names)), key=lambda i: -sizes[i]):
            group = names[i].partition(": ")[0]
            own = largest.setdefault(group, [])
            if len(own) < (MOST_VOXELS if group == NAMED else MOST_REGIONS):
                own.append(i)
        return sorted(i for own in largest.values() for i in own)


def heard(
    subject: Subject,
    fit: FitFile,
    places: Places,
    matchers: Sequence[Matcher],
    apart: int,
) -> list[list[Passage]]:
    """Passages of the test stories of which most is predicted, of every region and voxel.

    Parameters
    ----------
    subject : Subject
        Whose.
    fit : FitFile
        Of the model.
    places : Places
        The places.
    matchers : sequence of Matcher
        Bands of the model that match, with the places' mean weights.
    apart : int
        See `pipeline.tuning.passages.passages`.
    """
    own = means([*places.regions.values(), *places.voxels[:, None]], len(places.chosen))
    read = subject.dataset.read_responses
    predicted, measured = [], []
    for story in subject.test:
        predicted.append(fit.predictions(stories=[story])[story][:, places.chosen] @ own)
        measured.append(read(subject.name, story)[:, places.chosen] @ own)
    sd = np.concatenate(predicted).std(axis=0)
    return [
        [replace(p, match=contributing(p, k, matchers, subject.test, sd[k])) for p in found]
        for k, found in enumerate(passages(predicted, measured, apart))
    ]


def as_json(
    subject: Subject,
    places: Places,
    said: Mapping[str, Said],
    found: Sequence[Sequence[Passage]],
    *,
    delays: Mapping[str, Sequence[int]],
    matchers: Sequence[Matcher],
    r_cv: np.ndarray,
    picture: Picture | None,
) -> dict[str, Any]:
    """What the report shows of places.

    Parameters
    ----------
    subject : Subject
        Whose.
    places : Places
        The places.
    said : mapping of band to Said
        What each band's weights say.
    found : sequence of sequence of Passage
        `heard`.
    delays : mapping of band to sequence of int
        FIR delays.
    matchers : sequence of Matcher
        Those of `heard`.
    r_cv : array of shape (n_voxels,)
        Out-of-fold r.
    picture : Mosaic, Hemispheres or None
        On which each voxel has a place.

    Returns
    -------
    dict
        For JSON; `words` of places are numbers of those in its `words`.
    """
    lexicon: dict[str, int] = {}
    regions = places.shown()
    n = len(places.regions)
    order = [*regions, *range(n, n + len(places.voxels))]
    names = list(places.regions)

    def bands(k: int, voxels: np.ndarray) -> list[dict[str, Any]]:
        return [_band(own, k, voxels, lexicon) for own in said.values()]

    shown, (one, several) = [], called(subject.space)
    for k in order:
        voxels = places.regions[names[k]] if k < n else places.voxels[[k - n]]
        place: dict[str, Any] = {"bands": bands(k, voxels), "passages": _moments(found[k])}
        of = places.chosen[voxels]
        place["r"] = round(float(np.nanmean(r_cv[of])), 3)
        if k < n:
            group, _, name = names[k].partition(": ")
            place |= {"label": name or ALL, "group": group if name else "", "n": len(voxels)}
        else:
            place |= {"label": f"{one} {of[0]}", "group": several.capitalize(), "n": 1}
            place["in"] = [
                i
                for i, r in enumerate(regions)
                if names[r] != ALL and voxels[0] in places.regions[names[r]]
            ]
            place["at"] = picture.at[of[0]].tolist() if picture is not None else None
        shown.append(place)
    return {
        "tr": subject.tr,
        "stories": list(subject.test),
        "called": several,
        "n_folds": max((own.listing.get("n_folds", 0) for own in said.values()), default=0),
        "bands": [
            {"name": name, "delays": list(delays[name]), "says": own.words is not None}
            for name, own in said.items()
        ],
        "matchers": [matcher.band for matcher in matchers],
        "words": list(lexicon),
        "places": shown,
    }


def _band(said: Said, place: int, voxels: np.ndarray, lexicon: dict[str, int]) -> dict[str, Any]:
    """Words and course of a place in a band."""
    found: dict[str, Any] = {}
    for end, own in said.ends(place).items():
        numbers = [lexicon.setdefault(word, len(lexicon)) for word in own.words[:MOST_WORDS]]
        found[end] = [numbers, own.again[:MOST_WORDS] if own.again else None]
    if said.course is not None:
        course = said.course.course[:, voxels]
        if np.isfinite(course).any():
            found["course"] = np.nanmean(course, axis=1).round(3).tolist()
            for key in ("peak", "width"):
                values = getattr(said.course, key)[voxels]
                found[key] = round(float(np.nanmedian(values)), 2)
    return found


def _moments(found: Sequence[Passage]) -> list[list[Any]]:
    """Passages as short lists: story, row, predicted, measured, match or nothing."""
    moments: list[list[Any]] = []
    for p in found:
        moment: list[Any] = [p.story, p.row, round(p.predicted, 2), round(p.measured, 2)]
        if p.match:
            moment.append([*p.match[:3], round(p.match[3], 2)])
        moments.append(moment)
    return moments


def write_map(
    picture: Picture, said: Mapping[str, Said], chosen: np.ndarray, r_cv: np.ndarray, path: Path
) -> str:
    """Write the picture as PNG, coloured by the first band with colours, or else by r.

    Returns
    -------
    str
        What the colours are.
    """
    coloured = {name: own.colours for name, own in said.items() if own.colours is not None}
    if coloured:
        name, colours = next(iter(coloured.items()))
        label = f"first three axes of the weights of {name} as red, green and blue"
    else:
        scale = correlation_scale([r_cv[chosen]])
        colours = np.full((3, len(r_cv)), np.nan)
        colours[:, chosen] = scale.cmap(scale.norm(r_cv[chosen]))[:, :3].T
        label = f"out-of-fold r, 0 (dark) to {scale.vmax:g} (light)"
    image = Image.fromarray((picture.paint(colours) * 255).round().astype(np.uint8))
    with atomic_path(path) as temporary:
        image.save(temporary, "PNG", optimize=True)
    return label
