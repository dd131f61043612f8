"""Runs made up on disk, with every file that the report reads, and the report made from them."""

import json
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.bands.compute import BandFile
from pipeline.config.load import complete
from pipeline.core.atomic import read_table, write_table
from pipeline.core.series import pearson
from pipeline.fit.file import FitFile
from pipeline.matching.matches import NO_MATCH, Matches, save_matches
from pipeline.report.contents import Contents
from pipeline.report.explorer import Explored, explore
from pipeline.report.page import render
from pipeline.report.units import choose_units, held_against
from pipeline.report.warnings import all_warnings
from pipeline.tables.gains import gains
from pipeline.tables.group import group_table, subjects_table
from pipeline.tables.summary import summarise
from tests.helpers.fits import write_fit
from tests.helpers.responses import write_responses

ROWS = {"a": 40, "b": 42, "c": 44, "x": 50, "y": 46}
TRAIN, TEST = ["a", "b", "c"], ["x", "y"]
N_VOXELS = 120
LAG = 12  # rows from each row to its match
MODELS = {
    "eng1000": ["eng1000"],
    "drift": ["eng1000", "drift"],
    "ngramlag": ["eng1000", "drift", "ngramlag"],
    "ngram": ["eng1000", "drift", "ngramlag", "ngram"],
    "random": ["eng1000", "drift", "random"],
}
GAIN = {"ngram": 0.1}  # out-of-fold r above the other models
LOOK = {"eng1000": 1.5, "ngram": 0.6}  # noise of predictions; less is better


@dataclass(frozen=True)
class Made:
    """A run on disk and its report."""

    folder: Path
    run: Contents
    html: Path


def configuration(root, subjects, models):
    bands = {band for names in models.values() for band in names}
    return complete(
        {
            "name": "made",
            "data_root": str(root),
            "subjects": dict.fromkeys(subjects),
            "stories": {"train": TRAIN, "test": TEST},
            "features": {
                b: {} for b in ("eng1000", "drift", "ngram", "ngramlag", "random") if b in bands
            },
            "models": models,
            "fit": {"n_folds": 3},
        }
    )


def made_fit(path, dataset, subject, model, bands, rng):
    """A fit whose test scores are those of its made-up predictions."""
    r_train = 0.1 + GAIN.get(model, 0) + 0.01 * rng.standard_normal((len(TRAIN), N_VOXELS))
    predictions, copied, r_test = {}, {}, []
    for story in TEST:
        measured = dataset.read_responses(subject, story)
        noise = rng.standard_normal(measured.shape)
        predicted = measured + LOOK.get(model, 1.0) * noise * measured.std()
        predictions[story] = predicted.astype(np.float32)
        r_test.append(pearson(predictions[story], measured))
        if {"ngram", "random"} & set(bands):
            copied[story] = 0.3 * noise
    write_fit(
        path,
        np.mean(r_test, axis=0),
        r_train.mean(axis=0),
        r_train,
        bands,
        TRAIN,
        predictions,
        copied,
        {
            "subject": subject,
            "model": model,
            "solver": "gram",
            "alpha_at_min": 0.0,
            "alpha_at_max": 0.3 * (model == "drift"),
        },
        r_test=r_test,
        r_concat=r_test[0],
        alpha=np.where(np.arange(N_VOXELS) % 4, 100.0, np.inf),
    )


def made_words():
    """Two words a row, and some before the first row and after the last; one needs escaping."""
    tables = []
    for story, n in ROWS.items():
        rows = np.repeat(np.arange(-2, n + 2), 2)
        text = [f"{story}{row}{'ab'[i % 2]}" for i, row in enumerate(rows)]
        text[20] = "</script><b>"
        onset = 10 + 2.0 * rows + np.tile([0.2, 1.2], n + 4)  # row 0 starts 10 s in
        tables.append(
            pd.DataFrame({"story": story, "word": text, "onset": onset, "offset": onset + 0.5})
        )
    return pd.concat(tables, ignore_index=True)


def write_matches(path):
    matches = {}
    for story, n in ROWS.items():
        row = np.arange(n)
        to = np.where(row >= LAG, row - LAG, NO_MATCH)
        matches[story] = Matches.hard(to, 1 + row % 4, [f"words of {r}" for r in row])
    save_matches(path, matches)


def write_maps(folder, subject, models):
    """Pictures of one colour each, views of all but "random", and the list of them."""
    records = []
    for i, model in enumerate(models):
        for kind in ("surface", "glass", *(["view", "surfview"] if model != "random" else [])):
            for stat in ("r", "rdiff"):
                if stat == "rdiff" and model == "eng1000":
                    continue
                name = f"{model}_{kind}_{stat}.png"
                if kind.endswith("view"):
                    name = f"{model}_{kind}_{stat}.html"
                    (folder / name).write_text("<p>A brain.")
                else:
                    Image.new("RGB", (60, 20), (20 * i, 90, 120)).save(folder / name)
                minus = "eng1000" if stat == "rdiff" else None
                records.append(
                    {"file": name, "kind": kind, "stat": stat, "model": model, "minus": minus}
                    | {"band": None, "q": None, "title": f"{subject}, {model}, {stat}", "unit": "r"}
                )
    return records


def significance(subjects, models):
    """A test of r for each model, one against the baseline, and one against the lag control."""
    rows = []
    for i, (subject, model) in enumerate(product(subjects, models)):
        tests = [("r", None)] + [("contrast", "eng1000")] * (model != "eng1000")
        tests += [("contrast", "ngramlag")] * (model == "ngram")
        for test, against in tests:
            rows.append(
                (subject, model, test, against, N_VOXELS, 99, 0.01, i, i / N_VOXELS, 0, 0.5)
            )
    columns = "subject model test against n_voxels n_null p_floor n_fdr fraction_fdr n_fwer p_mean"
    return pd.DataFrame(rows, columns=columns.split())


def ceiling(subjects, models, repeated):
    rows = []
    for subject, model in product(subjects, models):
        known = ("x", "5", 20, 0.8, 0.4, 0.5, 0.45, 0.55, model != "eng1000", None)
        unknown = (None, None, 0, *[np.nan] * 5, model != "eng1000", "no story was repeated")
        rows.append((subject, model, *(known if repeated else unknown)))
    columns = (
        "subject model stories n_repeats n_voxels ceiling_mean r_mean r_ceiling_mean r_ceiling_lo "
        "r_ceiling_hi uses_bold reason"
    )
    return pd.DataFrame(rows, columns=columns.split())


def regions(subjects, models):
    """Two parcellations, one finer than the table; ngram gains over its control in region B."""
    places = [("truth", r) for r in "AB"] + [("fine", f"area {i}") for i in range(15)]
    gains = {("ngram", "A"): (0.002, -0.001, 0.005), ("ngram", "B"): (0.07, 0.05, 0.09)}
    rows = []
    for s, m in product([*subjects, "mean"], models):
        over = "ngramlag" if m == "ngram" else np.nan
        rows += [
            (s, m, *place, 10, 0.01 * i, 0.1, over, *gains.get((m, place[1]), [np.nan] * 3))
            for i, place in enumerate(places)
        ]
    columns = "subject model parcellation region n_voxels r_mean delta_eng1000 over"
    return pd.DataFrame(rows, columns=[*columns.split(), "gain", "gain_lo", "gain_hi"])


def partition(subjects):
    rows = [
        (s, "language", part, kind, N_VOXELS, 0.1, 0.2, n, 0.01)
        for s in subjects
        for part, kind, n in [("match", "unique", 3), ("word&match", "shared", np.nan)]
    ]
    columns = "subject partition part kind n_voxels r2_mean r2_top10 n_fdr p_mean"
    return pd.DataFrame(rows, columns=columns.split())


def tuning(folder, subject):
    """What the weights of eng1000 say of three places, and those of drift of none."""
    stem, names = f"sub-{subject}_band-eng1000_desc-eng1000", ["all", "A", "B"]
    rows = [
        (place, kind, end, rank, f"{end}{rank} of <{place}>", 1.0, 0.75 if rank < 11 else 0.25)
        for place, kind in [*((p, "region") for p in names), ("axis 1", "axis")]
        for end in ("most", "least")
        for rank in range(1, 21)
    ]
    columns = ["place", "kind", "end", "rank", "word", "response", "stability"]
    words = pd.DataFrame(rows, columns=columns)
    write_table(words, folder / f"{stem}_words.tsv")
    timing = pd.DataFrame({"region": names, "n_voxels": [20, 12, 8], "peak": [5.0, 4.5, 6.25]})
    write_table(timing.assign(width=4.0), folder / f"{stem}_timing.tsv")
    endings = ("words.tsv", "timing.tsv", "rgb_slices.png", "timing.png")
    files = [f"{stem}_{ending}" for ending in endings]
    for name in files[2:]:
        Image.new("RGB", (60, 30), (10, 90, 120)).save(folder / name)
    bands = {"eng1000": {"files": files, "axes_above_chance": 3}, "none": {"files": []}}
    for model, found in (("eng1000", bands), ("drift", {})):
        said = {"model": model, "n_predicted": 20 if found else 4, "level": 0.05, "bands": found}
        if found:
            said |= places(folder, f"sub-{subject}_desc-{model}_places")
        (folder / f"sub-{subject}_desc-{model}_tuning.json").write_text(json.dumps(said))


def places(folder, stem):
    """All voxels, a region and three voxels on a map of 10 by 20 pixels, as the rule has them."""
    words = ["</script><b>", *(f"w{i}" for i in range(8))]
    bands = [{"name": "eng1000", "delays": [1, 2, 3, 4], "says": True}]
    bands.append({"name": "ngram", "delays": [1, 2, 3, 4, 5, 6], "says": False})
    passages = [[0, 30, 2.5, -1.25, [0, 27, 15, 0.5]], [1, 20, 1.75, 0.5]]

    def place(label, group, n, most, **others):
        own = {"most": [most, [3, 2]], "least": [[7, 8], [3, 3]], "peak": 4.5, "width": 3.3}
        own["course"] = [0.1, 0.8, 0.5, 0.2]
        found = {"label": label, "group": group, "n": n, "r": 0.125, "passages": passages}
        return found | {"bands": [own, {"course": [0.1] * 6, "peak": 2.0, "width": 9.0}]} | others

    made = [place("all predicted voxels", "", 20, [1, 2]), place("A", "truth", 12, [0, 3])]
    for i, at in enumerate([[2, 3], [2, 12], [7, 4]]):
        made.append(place(f"voxel {i}", "Voxels", 1, [i + 4, 2], **{"in": [1][: i < 2], "at": at}))
    said = {"tr": 2.0, "stories": TEST, "n_folds": 3, "bands": bands, "matchers": ["ngram"]}
    said |= {"words": words, "places": made, "called": "voxels"}
    said["map"] = {"shape": [10, 20], "aspect": 1.0, "says": "r"}
    (folder / f"{stem}.json").write_text(json.dumps(said))
    Image.new("RGB", (20, 10), (10, 90, 120)).save(folder / f"{stem}.png")
    return {"places": f"{stem}.json", "map": f"{stem}.png"}


def over_subjects(folder, fits, subjects, models):
    """Tables of two subjects or more, and pictures of the mean and of what passes; None of one."""
    if len(subjects) < 2:
        return {}
    places = {s: {"areas": np.repeat(["front", "<back>"], N_VOXELS // 2)} for s in subjects}
    compared = [("eng1000", None), *((m, "eng1000") for m in models if m != "eng1000")]
    table = subjects_table(fits, places, compared)
    write_table(table, folder / "group_subjects.tsv")
    group = group_table(table, alpha=0.05, permutations=100, seed=0)
    write_table(group, folder / "group.tsv")
    listing = folder / "group" / "group_maps.json"
    listing.parent.mkdir()
    records = []
    for stat, q in (("mean", None), ("meanpcluster", 0.05)):
        for model in ("eng1000", "ngram"):
            record = {"file": f"{stat}{model}.png", "kind": "slices", "stat": stat, "model": model}
            record |= {"minus": None if model == "eng1000" else "eng1000", "band": None, "q": q}
            records.append(record | {"title": f"{model}: {stat}", "unit": "r"})
            Image.new("RGB", (30, 20), (90, 20, 120)).save(listing.parent / record["file"])
    said = {"maps": records, "n_subjects": len(subjects), "notes": ["no clusters: no <mesh>"]}
    listing.write_text(json.dumps(said))
    found = {name: read_table(folder / f"{name}.tsv") for name in ("group", "group_subjects")}
    return found | {"group_maps": listing}


def other_horizon(config, folder):
    """The same run with a horizon of 8, in which nothing is gained."""
    table = pd.read_csv(folder / "gains.tsv", sep="\t")
    table[["gain", "gain_lo", "gain_hi"]] = [0.0, -0.001, 0.001]
    return config | {"horizon": 8}, table


def make(folder, subjects, models, maps):
    """Write everything and the report."""
    rng = np.random.default_rng(1)
    config = configuration(folder / "data", subjects, models)
    words, fits, listings, explorers = made_words(), {}, {}, {}
    for number, subject in enumerate(subjects):
        own = folder / f"sub-{subject}"
        own.mkdir(parents=True)
        dataset = write_responses(folder / "data", ROWS, N_VOXELS, subject, seed=number, latent=6)
        for model, bands in models.items():
            path = own / f"{model}_fit.h5"
            made_fit(path, dataset, subject, model, bands, rng)
            fits[subject, model] = path
        records = write_maps(own, subject, models) if maps else []
        listings[subject] = own / "maps.json"
        listings[subject].write_text(json.dumps({"files": [], "maps": records}))
        explored = {"eng1000": Explored(fits[subject, "eng1000"])}
        for model in ("random", "ngram"):  # in an order that is not that of their gains
            write_matches(own / "matches.parquet")
            explored[model] = Explored(
                fits[subject, model], model, own / "matches.parquet", [1, 2, 3, 4, 5, 6], [1, 2, 3]
            )
        over = held_against(models, {m: m for m in explored if m != "eng1000"}, "eng1000")
        scores = {m: FitFile(fits[subject, m]).scores() for m in models}
        units = choose_units(scores, over=over, baseline="eng1000", regions={"front": np.arange(8)})
        explorers[subject] = own / "explorer.json"
        found = explore(dataset, subject, words=words, stories=TEST, models=explored, units=units)
        explorers[subject].write_text(json.dumps(found))
        tuning(own, subject)
    write_table(summarise(fits, "eng1000", 2), folder / "summary.tsv")
    write_table(gains(fits, models, "eng1000"), folder / "gains.tsv")
    run = Contents(
        provenance={
            "config": config,
            "commit": "0" * 40,
            "versions": {"numpy": "2"},
            "inputs_sha256": "f" * 64,
        },
        summary=pd.read_csv(folder / "summary.tsv", sep="\t"),
        gains=pd.read_csv(folder / "gains.tsv", sep="\t"),
        timings=pd.DataFrame(
            [("fit_model", subjects[0], "ngram", 61.0, 100.0)],
            columns=["rule", "subject", "model", "seconds", "peak_mb"],
        ),
        significance=significance(subjects, models),
        ceiling=ceiling(subjects, models, repeated=maps),
        regions=regions(subjects, models) if maps else None,
        partition=partition(subjects) if maps else None,
        sweep=[other_horizon(config, folder)] if maps else [],
        tunings={
            (s, m): folder / f"sub-{s}" / f"sub-{s}_desc-{m}_tuning.json"
            for s, m in product(subjects, ("eng1000", "drift"))
            if maps
        },
        fits=fits,
        **over_subjects(folder, fits, subjects, models),
        maps=listings,
        explorers=explorers,
        warnings=["a story is short"],
        coverage=[
            {"bands": "eng1000", "story": s, "n_tokens": 80, "tokens": 0.9, "n_types": 40}
            | {"types": 0.85 if s == "x" else 0.8}
            for s in [*TRAIN, *TEST]
        ],
    )
    html = folder / "report.html"
    html.write_text(render(run), encoding="utf-8")
    return Made(folder, run, html)


@pytest.fixture(scope="session")
def silent(unmapped, tmp_path_factory):
    """The same run, had its features been zero in every story."""
    folder = tmp_path_factory.mktemp("silent")
    bands = [folder / f"{band}.h5" for band in unmapped.run.config["features"]]
    for path in bands:
        with BandFile.create(path) as file:
            for story, n_rows in ROWS.items():
                file.write(story, np.zeros((n_rows, 2)), spoken=np.arange(n_rows))
    (folder / "warnings.txt").write_text("a story is short\n")
    (folder / "settings.json").write_text(json.dumps({"warnings": ["a mask is small"]}))
    found = all_warnings(folder / "warnings.txt", folder / "settings.json", bands)
    run = replace(unmapped.run, warnings=found)
    html = folder / "report.html"
    html.write_text(render(run), encoding="utf-8")
    return Made(folder, run, html)


@pytest.fixture(scope="session")
def mapped(tmp_path_factory):
    """One subject, with maps."""
    return make(tmp_path_factory.mktemp("mapped"), ["S1"], MODELS, maps=True)


@pytest.fixture(scope="session")
def unmapped(tmp_path_factory):
    """Two subjects without maps."""
    return make(tmp_path_factory.mktemp("unmapped"), ["S1", "S2"], MODELS, maps=False)
