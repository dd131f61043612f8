"""The whole workflow on a tiny simulated subject: files, contents, reproducibility."""

import json
import re
import shutil
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.bands.compute import BandFile
from pipeline.core.atomic import read_table
from pipeline.core.series import pearson
from pipeline.fit.file import FitFile
from pipeline.tables.summary import COLUMNS
from pipeline.voxels.volume import Mask, to_vector
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.workflow
SUBJECT = "sub-SIM01"
MODELS = ["eng1000", "random", "ngram", "ngramlag"]


def summary_of(project, name):
    return pd.read_csv(project.results(name) / "summary.tsv", sep="\t").set_index(
        ["subject", "model"]
    )


def test_summary_has_a_row_for_each_model_and_the_mean(tiny):
    table = pd.read_csv(tiny.results("tiny") / "summary.tsv", sep="\t")
    assert list(table.columns) == COLUMNS
    assert table["model"].tolist() == MODELS * 2
    assert set(table["subject"]) == {"SIM01", "mean"}


def test_correlations_are_those_of_the_saved_predictions(tiny):
    folder = tiny.results("tiny") / SUBJECT
    responses = tiny.folder / "data/tiny/derivative/preprocessed_data/SIM01/test01.hf5"
    with h5py.File(folder / f"{SUBJECT}_desc-ngram_fit.h5") as fit, h5py.File(responses) as data:
        r = pearson(fit["predictions/test01"][:], data["data"][:])
        np.testing.assert_allclose(fit["r"][:], r, atol=1e-5)
        np.testing.assert_allclose(fit["r_test"][0], r, atol=1e-5)
        mean = np.nanmean(r)
    reported = summary_of(tiny, "tiny").loc[("SIM01", "ngram"), "r_mean"]
    assert reported == pytest.approx(mean, abs=2e-6)


def test_fits_name_their_origin(tiny):
    with h5py.File(tiny.results("tiny") / SUBJECT / f"{SUBJECT}_desc-ngram_fit.h5") as fit:
        provenance = json.loads(fit.attrs["provenance"])
        assert fit.attrs["model"] == "ngram"
    assert provenance["config"]["name"] == "tiny"
    assert provenance["config"]["seeds"]["matching"] == 0
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", provenance["commit"])
    assert {"numpy", "himalaya", "torch"} <= set(provenance["versions"])
    assert len(provenance["inputs_sha256"]) == 64


def test_matches_say_which_row_why_and_how_far_back(tiny):
    path = tiny.results("tiny") / SUBJECT / f"{SUBJECT}_desc-ngram_matches.parquet"
    table = pd.read_parquet(path)
    expected = {"story", "tr", "match_tr", "lag", "similarity", "matched_words"}
    assert expected <= set(table.columns)
    none = table["match_tr"].isna()
    assert none.any()
    assert not none.all()
    assert (table.loc[~none, "lag"] >= 4).all()
    found = table[~none]
    assert (found["matched_words"].str.split().str.len() == found["similarity"]).all()


def test_maps_and_pictures_are_there(tiny):
    folder = tiny.results("tiny") / SUBJECT
    for model in MODELS:
        assert (folder / f"{SUBJECT}_stat-r_desc-{model}_statmap.nii.gz").stat().st_size > 0
    names = {path.name for path in folder.iterdir()}
    stem = f"{SUBJECT}_stat-r_desc-ngram"
    assert {f"{stem}_glass.png", f"{stem}_slices.png", f"{stem}_surface.png"} <= names
    assert {f"{stem}_view.html", f"{stem}_surfview.html"} <= names
    records = json.loads((folder / f"{SUBJECT}_maps.json").read_text())["maps"]
    assert {record["file"] for record in records} <= names
    assert {r["minus"] for r in records if r["model"] == "ngram"} == {None, "eng1000", "ngramlag"}


def test_maps_hold_the_numbers_of_the_fits(tiny):
    folder = tiny.results("tiny") / SUBJECT
    mask = Mask.from_file(tiny.folder / "data/tiny/mask.nii.gz", "xyz", "MNI")
    fits, q = {}, {}
    for model in ("ngram", "ngramlag"):
        with h5py.File(folder / f"{SUBJECT}_desc-{model}_fit.h5") as file:
            fits[model] = file["r"][:]
    with h5py.File(folder / f"{SUBJECT}_desc-ngram_stats.h5") as file:
        q["r"], q["ngramlag"] = file["q"][:], file["contrast/ngramlag/q"][:]

    def shown(name):
        return to_vector(nib.load(folder / f"{SUBJECT}_{name}_desc-ngram_statmap.nii.gz"), mask)

    difference = fits["ngram"] - fits["ngramlag"]
    for name, values, passed in [
        ("stat-r", fits["ngram"], q["r"] < 0.05),
        ("minus-ngramlag_stat-rdiff", difference, q["ngramlag"] < 0.05),
    ]:
        np.testing.assert_allclose(shown(name), values, atol=1e-6)
        kept = np.where(passed, values, np.nan)
        np.testing.assert_allclose(shown(f"{name}_q-05"), kept, atol=1e-6)


def test_a_region_of_the_whole_brain_has_the_numbers_of_the_summary(tiny):
    table = pd.read_csv(tiny.results("tiny") / "regions.tsv", sep="\t")
    assert set(table["parcellation"]) == {"truth", "brain"}
    brain = table[table["parcellation"] == "brain"].set_index(["subject", "model"])
    summary = summary_of(tiny, "tiny")
    for column in ("n_voxels", "r_mean"):
        np.testing.assert_array_equal(brain[column], summary.loc[brain.index, column])
    truth = table[(table["parcellation"] == "truth") & (table["subject"] == "SIM01")]
    counts = truth.groupby("model")["n_voxels"].sum()
    assert counts.to_dict() == summary.loc["SIM01", "n_voxels"].to_dict()
    for name in ("truth", "brain"):
        assert (tiny.results("tiny") / f"regions_{name}.png").stat().st_size > 5000


def test_the_report_needs_nothing_but_itself(tiny):
    html = (tiny.results("tiny") / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="https?://', html)
    assert "data:image/webp;base64," in html
    r = summary_of(tiny, "tiny").loc[("SIM01", "ngram"), "r_mean"]
    assert f'<td data-value="{r:.6f}">' in html


def test_the_match_explorer_reads_the_runs_own_files(tiny):
    folder = tiny.results("tiny") / SUBJECT
    found = json.loads((folder / f"{SUBJECT}_explorer.json").read_text())
    assert found["models"].keys() == {"eng1000", "random", "ngram"}  # lag controls have no matches
    matches = pd.read_parquet(folder / f"{SUBJECT}_desc-ngram_matches.parquet")
    own = matches[matches["story"] == "test01"]
    shown = found["stories"]["test01"]["matches"]["ngram"]
    assert shown["to"] == own["match_tr"].fillna(-1).astype(int).tolist()
    assert shown["words"] == own["matched_words"].tolist()
    assert found["models"]["ngram"]["delays"] == [1, 2, 3, 4, 5, 6]
    assert "copied" in found["stories"]["test01"]["predicted"]["ngram"]


def test_snakemake_makes_its_own_report(tiny, tmp_path):
    page = tmp_path / "snakemake.html"
    tiny.snakemake(tiny.configure("tiny"), "--report", str(page))
    html = page.read_text()
    for caption in ("The report of run tiny", "What each band adds", "Gain of every model by"):
        assert caption in html


def test_timings_name_every_job(tiny):
    table = pd.read_csv(tiny.results("tiny") / "timings.tsv", sep="\t")
    fits = table[table["rule"] == "fit_model"]
    # The partition `story` needs a model of its matches alone, which is no model of the table.
    assert sorted(fits["model"]) == sorted([*MODELS, "storyMatches"])
    assert set(fits["subject"]) == {"SIM01"}
    assert (table["seconds"] > 0).all()


def test_a_second_run_has_nothing_to_do(tiny):
    again = tiny.snakemake(tiny.configure("tiny"))
    assert "Nothing to be done" in again.stdout + again.stderr


def test_another_model_recomputes_only_itself(tiny):
    config = tiny.configure("tiny")
    plan = tiny.snakemake(config, "--dry-run", "--config", "models={drift: [eng1000, drift]}")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", plan.stdout, flags=re.MULTILINE))
    assert jobs["fit_model"] == "1"
    assert not {"simulate", "validate", "stimulus_features", "matches"} & set(jobs)


def test_another_band_recomputes_nothing_else(tiny):
    config = tiny.configure("tiny")
    more = ["features={far: {kind: drift}}", "models={far: [eng1000, far]}"]
    plan = tiny.snakemake(config, "--dry-run", "--config", *more, "--", "fit")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", plan.stdout, flags=re.MULTILINE))
    again = {"settings", "response_features", "fit_model", "audit", "summary", "fit", "total"}
    assert set(jobs) == again
    assert jobs["response_features"] == jobs["fit_model"] == "1"


def test_what_stands_for_passages_is_an_input_of_all_that_read_through_it(tiny):
    """Though no model has it: a band of the stimulus, and one made of a memory."""
    bands = {
        "rate": "{kind: wordrate}", "passages": "{}", "meaning": "{of: passages}",
        "a": "{kind: through, of: passages, band: rate}",
        "b": "{kind: through, of: passages, band: meaning}",
    }  # fmt: skip
    features = ", ".join(f"{band}: {options}" for band, options in bands.items())
    more = [f"features={{{features}}}", "models={a: [a], b: [b]}"]
    plan = tiny.snakemake(
        tiny.configure("tiny"), "--dry-run", "--config", *more, "--", "fit"
    ).stdout

    def read_for(name):
        (found,) = re.findall(rf"^    input: (.*)\n    output: \S*{name}$", plan, re.MULTILINE)
        return set(found.replace("results/tiny/", "").split(", "))

    recall = f"{SUBJECT}/{SUBJECT}_desc-passages_recall.h5"
    for band, other in {"a": "features/rate.h5", "b": f"{SUBJECT}/features/meaning.h5"}.items():
        made = f"{SUBJECT}/features/{band}.h5"
        assert {recall, other} <= read_for(made)
        assert {made, recall, other} <= read_for(f"desc-{band}_fit.h5") & read_for("audit.tsv")


def test_chunks_of_voxels_and_stored_grams_give_the_same_fit(tiny):
    """Two jobs a model and one for each pair of bands; features are those of the first run."""
    shutil.copytree(tiny.results("tiny"), tiny.results("chunks"))
    name = Path(SUBJECT) / f"{SUBJECT}_desc-ngram_fit.h5"
    (tiny.results("chunks") / name).unlink()
    fit = yaml.safe_load((REPOSITORY / "config" / "tiny.yaml").read_text())["fit"]
    config = tiny.configure("tiny", name="chunks", fit=fit | {"jobs": 2, "share_grams": True})
    done = tiny.snakemake(config, f"results/chunks/{name}", "--rerun-triggers", "mtime")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE))
    assert jobs == {"gram": "6", "fit_chunk": "2", "fit_model": "1", "total": "9"}
    with h5py.File(tiny.results("tiny") / name) as a, h5py.File(tiny.results("chunks") / name) as b:
        for key in ("r", "r_train", "predictions/test01"):
            np.testing.assert_allclose(b[key][:], a[key][:], atol=1e-5)
        np.testing.assert_array_equal(b["alpha"][:], a["alpha"][:])
    folder = tiny.results("chunks") / SUBJECT
    assert len(list((folder / "grams").iterdir())) == 6
    assert not list((folder / "chunks").glob("*"))  # joined, then removed


def test_the_matching_seed_changes_random_controls_only(tiny):
    other = tiny.configure("tiny", name="other", seeds={"matching": 1})
    tiny.snakemake(other, "results/other/summary.tsv")
    a, b = summary_of(tiny, "tiny"), summary_of(tiny, "other")
    for model in ("eng1000", "ngram"):
        pd.testing.assert_series_equal(a.loc[("SIM01", model)], b.loc[("SIM01", model)])
    for model in ("random", "ngramlag"):
        assert a.loc[("SIM01", model), "r_mean"] != b.loc[("SIM01", model), "r_mean"]


def test_equal_seeds_equal_bytes_and_subjects_do_not_overwrite_each_other(tiny):
    """The authors stored components per story without the subject (error 18).

    The first subject is simulated and fitted anew.
    """
    two = tiny.configure(
        "tiny",
        name="two",
        data_root="data/two",
        subjects={"SIM01": {}, "SIM02": {}},
        mask={"path": "data/two/mask.nii.gz", "space": "native"},
        regions={},
        maps={"figures_for": []},
    )
    names = ("summary.tsv", "group.tsv", "group/group_maps.json")
    tiny.snakemake(two, *(f"results/two/{name}" for name in names))

    def lines(name):
        """Of the first subject, without the columns that only runs of several have."""
        rows = (tiny.results(name) / "summary.tsv").read_bytes().splitlines()
        own = [row.split(b"\t") for row in rows if row.startswith(b"SIM01\t")]
        return [row[: len(COLUMNS)] for row in own]

    assert lines("two") == lines("tiny")
    assert len(lines("two")) == len(MODELS)
    table = summary_of(tiny, "two")
    assert table.loc[("SIM01", "ngram"), "r_mean"] != table.loc[("SIM02", "ngram"), "r_mean"]
    mean = table.loc["mean", "r_mean"]["ngram"]
    each = [table.loc[(s, "ngram"), "r_mean"] for s in ("SIM01", "SIM02")]
    assert mean == pytest.approx(np.mean(each), abs=2e-6)
    bases = [tiny.results("two") / f"sub-{s}" / f"sub-{s}_basis.h5" for s in ("SIM01", "SIM02")]
    with h5py.File(bases[0]) as one, h5py.File(bases[1]) as other:
        assert np.abs(one["scores/test01"][:] - other["scores/test01"][:]).max() > 0.1
    over_subjects(tiny.results("two"))


def over_subjects(folder):
    """Of two subjects there are means of all voxels and true regions, maps, and no sign flips."""
    group, each = (read_table(folder / f"{n}.tsv") for n in ("group", "group_subjects"))
    assert group["baseline"].isna().sum() == 5  # all voxels and four regions
    assert group["p"].isna().all()
    key = ["model", "baseline", "parcellation", "region"]
    means = each.groupby(key, dropna=False)["mean"].mean()
    np.testing.assert_allclose(
        group.set_index(key)["mean"], means[group.set_index(key).index], atol=2e-6
    )
    table = group[(group["region"] == "all") & (group["baseline"] == "eng1000")].set_index("model")
    r = {
        (s, m): FitFile(folder / f"sub-{s}" / f"sub-{s}_desc-{m}_fit.h5").scores().r_train
        for s in ("SIM01", "SIM02")
        for m in ("eng1000", "ngram")
    }
    own = [np.nanmean(r[s, "ngram"] - r[s, "eng1000"]) for s in ("SIM01", "SIM02")]
    assert table.loc["ngram", "mean"] == pytest.approx(np.mean(own), abs=2e-6)
    listed = json.loads((folder / "group" / "group_maps.json").read_text())
    assert listed["notes"] == []
    assert {m["stat"] for m in listed["maps"]} == {"mean", "t", "prevalence"}
    assert all((folder / "group" / m["file"]).stat().st_size for m in listed["maps"])


def test_what_the_lexicon_knows_and_warnings_reach_the_report(tiny):
    """Every word of a simulated story is known; what bands keep stands above the answer."""
    folder = tiny.results("tiny")
    coverage = json.loads((folder / "settings.json").read_text())["coverage"]
    assert [row["story"] for row in coverage] == [*(f"train0{i}" for i in range(1, 5)), "test01"]
    assert {(row["bands"], row["tokens"], row["types"]) for row in coverage} == {("eng1000", 1, 1)}
    html = (folder / "report.html").read_text()
    assert "Words that the lexicons know: 100.0 % to 100.0 % of a story's" in html
    kept = [w for path in folder.glob("**/features/*.h5") for w in BandFile(path).warnings()]
    assert kept == []
