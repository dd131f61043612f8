"""A finished run is read, and asked about stories as if it had never had them."""

import json
import shutil

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import pipeline
from pipeline import Run
from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.finished.prediction_file import PredictionFile
from pipeline.finished.run import Run as TheSame
from pipeline.predict.command import main
from pipeline.tuning.meaning import predicted_voxels
from pipeline.voxels.volume import to_vector
from tests.helpers.kept import keep

pytestmark = pytest.mark.workflow
STORY = "test01"


@pytest.fixture(scope="module")
def run(tiny):
    """The run that kept the weights of ngramlag, and those of eng1000 besides."""
    found = Run(tiny.results("tiny"))
    keep(found, "eng1000")
    return found


@pytest.fixture
def moved(run, tiny, tmp_path):
    """A copy of the run with its dataset, in which files can be changed."""
    for name in ("data", "results"):
        shutil.copytree(tiny.folder / name / "tiny", tmp_path / name / "tiny")
    return tmp_path


def transcript(run):
    return run.dataset.transcript(STORY)


def assert_same(run, model, predicted):
    """To 1e-3 of the sd of what the fit predicted, and in r to 1e-4."""
    saved = run.fit(model).predictions()[STORY]
    error = np.abs(predicted - saved).max(axis=0)
    np.testing.assert_array_less(error, 1e-3 * saved.std(axis=0) + 1e-7)
    measured = run.dataset.read_responses("SIM01", STORY)
    r = pearson(predicted, measured)
    np.testing.assert_allclose(r, pearson(saved, measured), atol=1e-4)
    np.testing.assert_allclose(r, run.scores(model).r, atol=1e-4)


def test_the_runs_own_test_story_is_predicted_as_the_fit_predicted_it(run):
    assert_same(run, "eng1000", run.predict("eng1000", story=STORY))


def test_a_transcript_is_all_that_words_need(run, tmp_path, capsys):
    n_rows, out = run.dataset.grid(STORY).n_rows, tmp_path / "out.nii.gz"
    arguments = [str(run.folder), "--model", "eng1000", "--transcript", str(transcript(run))]
    main([*arguments, "--rows", str(n_rows), "--out", str(out)])
    image = nib.load(out)
    assert image.shape[3] == n_rows
    assert image.header.get_zooms()[3] == pytest.approx(2.0)
    volumes = (image.slicer[..., row] for row in range(n_rows))
    assert_same(run, "eng1000", np.stack([to_vector(volume, run.mask()) for volume in volumes]))
    assert f"{n_rows} rows" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="there is such a file"):
        main([*arguments, "--out", str(out)])


def test_a_model_of_past_bold_takes_the_responses(run, tmp_path):
    """Also the lag control of a matcher: its matches, and the draws that replace them."""
    out, responses = tmp_path / "out.h5", run.dataset.responses("SIM01", STORY)
    arguments = [str(run.folder), "--model", "ngramlag", "--transcript", str(transcript(run))]
    main([*arguments, "--responses", str(responses), "--out", str(out)])
    assert_same(run, "ngramlag", PredictionFile(out).predictions())
    with pytest.raises(SystemExit, match=r"past BOLD \(drift, ngramlag\).*--responses"):
        main([*arguments, "--out", str(tmp_path / "other.h5")])
    with h5py.File(tmp_path / "fewer.h5", "w") as fewer, h5py.File(responses) as file:
        fewer["data"] = file["data"][:, :7]
    with pytest.raises(ProblemError, match="7 voxels, but SIM01 has"):
        run.predict("ngramlag", transcript(run), responses=tmp_path / "fewer.h5")


def test_few_rows_are_warned_of_and_none_refused(run, caplog):
    assert len(run.predict("eng1000", transcript(run), n_rows=40)) == 40
    assert "fewer than 100 rows" in caplog.text
    with pytest.raises(ProblemError, match="end before the first row"):
        run.predict("eng1000", transcript(run), n_rows=0)


def test_rows_last_as_long_as_the_words(run):
    predicted = run.predict("eng1000", transcript(run))
    grid, words = run.dataset.grid(STORY), run.dataset.read_words(STORY)
    ends = (grid.row_of(words["offset"]).max() + 1) * grid.tr
    assert len(predicted) * grid.tr == ends


def test_sums_over_delays_predict_nothing_and_say_so(moved):
    run = Run(moved / "results/tiny")
    keep(run, "random", summed=True)
    assert run.weights("random")["eng1000"].shape[0] == 1
    with pytest.raises(ProblemError, match=r"sums over delays.*`keep.delays: separate`"):
        run.predict("random", story=STORY)


def test_weights_that_were_not_kept_are_asked_for(run):
    with pytest.raises(ProblemError, match=r"of random were not kept.*keep=\{models: \[random\]"):
        run.weights("random")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("data/tiny/derivative/english1000sm.hf5", "the eng1000 of the band eng1000"),
        ("results/tiny/features/eng1000.h5", "the features of the band eng1000"),
    ],
)
def test_another_embedding_or_band_file_is_refused_by_name(moved, file, said):
    with h5py.File(moved / file, "r+") as changed:
        next(iter(changed.values()))[0] += 1
    with pytest.raises(ProblemError, match=said) as caught:
        Run(moved / "results/tiny").predict("eng1000", story=STORY)
    assert len(caught.value.problems) == 1
    assert file in str(caught.value)


def test_scores_tables_maps_and_regions_are_those_of_the_files(run):
    assert run.models == ["eng1000", "random", "ngram", "ngramlag"]
    assert run.subjects == ["SIM01"]
    r = run.scores("ngram").r
    table = run.table("summary").set_index(["subject", "model"])
    assert np.nanmean(r) == pytest.approx(table.loc[("SIM01", "ngram"), "r_mean"], abs=2e-6)
    np.testing.assert_allclose(to_vector(run.map("ngram"), run.mask()), r, atol=1e-6)
    assert set(run.regions()) == {"truth", "brain"}
    assert run.statistics("ngram").test().q.shape == r.shape
    assert isinstance(run.table("gains"), pd.DataFrame)


def test_a_table_over_subjects_of_an_earlier_run_is_refused(moved):
    """The run has had another subject, and group.tsv is still there."""
    for name in ("group", "group_subjects"):
        (moved / f"results/tiny/{name}.tsv").write_text("model\nngram\n")
        with pytest.raises(ProblemError, match="a run of one subject has no such table"):
            Run(moved / "results/tiny").table(name)


def test_stories_and_responses_are_those_of_the_dataset(run):
    story, responses = run.story(STORY), run.responses(STORY)
    assert (story.name, story.grid) == (STORY, run.dataset.grid(STORY))
    assert story.words["word"].tolist() == run.dataset.read_words(STORY)["word"].tolist()
    np.testing.assert_array_equal(responses, run.dataset.read_responses("SIM01", STORY))
    assert len(responses) == story.grid.n_rows


def test_weights_are_those_of_single_voxels_in_the_order_asked_for(run):
    whole = run.weights("ngramlag")
    assert {band: w.shape[:2] for band, w in whole.items()} == {
        "eng1000": (4, 10), "drift": (1, 10), "ngramlag": (6, 15),
    }  # fmt: skip
    some = run.weights("ngramlag", voxel=[7, 3, 7])
    one = run.weights("ngramlag", voxel=3)
    for band, values in whole.items():
        np.testing.assert_array_equal(some[band], values[:, :, [7, 3, 7]])
        np.testing.assert_array_equal(one[band], values[:, :, 3])
    assert run.bands("eng1000")["eng1000"].columns[0] == "basis word 1"


def test_what_the_weights_say_is_in_the_files_of_the_run(run):
    folder = run.folder / "sub-SIM01"
    listed = json.loads((folder / "sub-SIM01_desc-ngramlag_tuning.json").read_text())
    files = [name for band in listed["bands"].values() for name in band["files"]]
    assert all((folder / name).stat().st_size > 200 for name in files)
    chosen = np.flatnonzero(predicted_voxels(run.scores("ngramlag").r_train, 0.05))
    assert listed["n_predicted"] == len(chosen) > 20
    stem = "sub-SIM01_band-eng1000_desc-ngramlag"
    words = pd.read_csv(folder / f"{stem}_words.tsv", sep="\t")
    place = words[words["place"] == "truth: A"]
    voxels = chosen[run.regions()["truth"][chosen] == "A"]
    most, least = run.words("ngramlag", voxels)
    assert place.loc[place["end"] == "most", "word"].tolist() == most
    assert place.loc[place["end"] == "least", "word"].tolist() == least
    assert len(set(most) | set(least)) == 40
    assert place["stability"].between(0, 1).all() and place["stability"].mean() > 0.2
    timing = pd.read_csv(folder / f"{stem}_timing.tsv", sep="\t").set_index("region")
    found = run.timing("ngramlag", voxel=voxels)
    assert timing.loc["truth: A", "peak"] == pytest.approx(np.median(found.peak), abs=1e-4)
    stat = "sub-SIM01_band-eng1000_stat-peak_desc-ngramlag_statmap.nii.gz"
    peaks = to_vector(nib.load(folder / stat), run.mask())
    np.testing.assert_allclose(peaks[voxels], found.peak, atol=1e-3)
    assert np.isnan(np.delete(peaks, chosen)).all()
    colours = nib.load(folder / f"{stem}_rgb.nii.gz")
    red = to_vector(colours.slicer[..., 0], run.mask())
    left_out = ~run.weights("ngramlag", chosen)["eng1000"].any(axis=(0, 1))
    assert (np.isnan(red[chosen]) == left_out).all() and not left_out.all()
    assert ((red[chosen[~left_out]] >= 0) & (red[chosen[~left_out]] <= 1)).all()


def test_the_places_of_the_report_are_those_of_the_weights_and_predictions(run):
    """A voxel's words, and the rows of the test story at which most is predicted of it."""
    folder = run.folder / "sub-SIM01"
    found = json.loads((folder / "sub-SIM01_desc-ngramlag_places.json").read_text())
    scores = run.scores("ngramlag")
    chosen = np.flatnonzero(predicted_voxels(scores.r_train, 0.05))
    voxels = [p for p in found["places"] if p["group"] == "Voxels"]
    numbers = [int(p["label"].split()[1]) for p in voxels]
    assert 10 < len(numbers) <= 300 and set(numbers) <= set(chosen)
    place, voxel = next((p, v) for p, v in zip(voxels, numbers, strict=True) if p["bands"][0])
    most, least = run.words("ngramlag", voxel)
    for end, words in (("most", most), ("least", least)):
        assert [found["words"][i] for i in place["bands"][0][end][0]] == words[:12]
    predicted = run.fit("ngramlag").predictions()[STORY][:, voxel]
    story, row, height, _ = place["passages"][0][:4]
    assert found["stories"][story] == STORY and row == predicted.argmax()
    assert height == pytest.approx((predicted.max() - predicted.mean()) / predicted.std(), abs=0.01)
    assert place["r"] == pytest.approx(scores.r_cv[voxel], abs=1e-3)
    with Image.open(folder / "sub-SIM01_desc-ngramlag_places.png") as image:
        assert [image.height, image.width] == found["map"]["shape"]
        pixel = image.getpixel(tuple(place["at"][::-1]))
    colours = nib.load(folder / "sub-SIM01_band-eng1000_desc-ngramlag_rgb.nii.gz")
    own = [to_vector(colours.slicer[..., c], run.mask())[voxel] for c in range(3)]
    np.testing.assert_allclose(np.array(pixel) / 255, own, atol=0.003)
    html = (run.folder / "report.html").read_text()
    assert html.count('class="places-data"') == 1


def test_what_is_not_there_is_named(run, tmp_path):
    for call, said in [
        (lambda: run.scores("none"), "no model 'none'"),
        (lambda: run.scores("ngram", subject="X"), "no subject 'X'"),
        (lambda: run.predict("eng1000", story="elsewhere"), "did not hear 'elsewhere'"),
        (lambda: run.story("elsewhere"), "there is no story 'elsewhere'"),
        (lambda: run.responses("elsewhere"), "did not hear 'elsewhere'"),
        (lambda: run.words("ngramlag", 3, band="drift"), "a word has no features of its own"),
        (lambda: Run(tmp_path), "no finished run"),
    ]:
        with pytest.raises(ProblemError, match=said):
            call()


def test_the_package_offers_it():
    assert pipeline.Run is TheSame
    with pytest.raises(AttributeError):
        _ = pipeline.nothing
