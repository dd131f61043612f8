"""What a run writes and BIDS has no names for, as exact patterns: whatever else lies there is told.

A validator's `*` stops at the next character of its pattern, the last one excepted; so which
entities a name has is said in full.
"""

from __future__ import annotations

from itertools import product

RUN = [
    "report.html", "warnings.txt", "provenance.json", "manifest.json", "settings.json",
    "volumes.json", "words.parquet", "english1000.hf5", "summary.tsv", "gains.tsv",
    "significance.tsv", "ceiling.tsv", "regions.tsv", "regions_*.png", "partition.tsv",
    "shares.tsv", "timings.tsv", "contamination.tsv", "contamination.json", "familiarity.tsv",
    "chunks.tsv", "presentations.tsv", "intersubject.tsv", "group.tsv", "group_subjects.tsv",
    "group", "steps.txt",
    "features", "states", "memory", "lm", "benchmarks",
]  # fmt: skip
SUBJECT_FOLDERS = ["features", "grams", "chunks", "responses"]
SUBJECT = [
    "webgl", "basis.h5", "ceiling.h5", "audit.tsv", "maps.json", "explorer.json",
    "stat-r_histograms.png", "desc-*_fit.h5", "desc-*_weights.h5", "desc-*_stats.h5",
    "desc-*_r2.h5", "desc-*_recall.h5", "desc-*_matches.parquet", "desc-*_passages.parquet",
    "desc-*_tuning.json", "desc-*_places.json", "desc-*_places.png",
    "band-*_desc-*_words.tsv", "band-*_desc-*_axes.tsv", "band-*_desc-*_profile.tsv",
    "band-*_desc-*_timing.tsv", "band-*_desc-*_timing.png", "band-*_desc-*_rgb.nii.gz",
    "band-*_desc-*_rgb.json", "band-*_desc-*_rgb_*.png",
]  # fmt: skip
SHOWN = [
    "stat-*", "stat-*_q-*", "minus-*_stat-*", "minus-*_stat-*_q-*", "band-*_stat-*",
]  # fmt: skip
PLACES = {  # before them, by the ending of the values, which sidecars share
    "nii.gz": ("",),
    "func.gii": ("hemi-*_", "hemi-*_space-*_"),
    "dscalar.nii": ("", "space-*_", "den-*_", "space-*_den-*_"),
}
FIGURES = [
    "glass.png", "surface.png", "flatmap.png", "slices.png", "view.html", "surfview.html",
]  # fmt: skip


def patterns() -> list[str]:
    """Lines of `.bidsignore`, each of one kind of file, as gitignore has them."""
    named = [f"{shown}_desc-*_{figure}" for shown in SHOWN[:-1] for figure in FIGURES]
    for ending, places in PLACES.items():
        for place, shown, last in product(places, SHOWN, (ending, "json")):
            named.append(f"{place}{shown}_desc-*_statmap.{last}")
        if ending != "nii.gz":  # that of volumes is among `SUBJECT`
            ends = product(places, (ending, "json"))
            named += [f"{place}band-*_desc-*_rgb.{last}" for place, last in ends]
    own = [*SUBJECT_FOLDERS, *(f"sub-*_{name}" for name in [*SUBJECT, *named])]
    return list(dict.fromkeys(f"/{name}" for name in [*RUN, *(f"sub-*/{name}" for name in own)]))
