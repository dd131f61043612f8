"""The files of the simulated subject, its responses and its settings."""

import dataclasses
import json
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, signal, stats

from pipeline.core.errors import ProblemError
from pipeline.core.random import generator
from pipeline.core.series import zscore
from pipeline.dataset.dataset import Dataset
from pipeline.readers.textgrid import read_textgrid
from pipeline.simulation import bold, lexicon, write
from pipeline.simulation.settings import N_PHRASES, Settings, story_names
from pipeline.simulation.simulate import simulate
from pipeline.simulation.story import tell

SUBJECT = "sub01"
TINY = Settings(n_train=3, n_test=1, rows=(55, 65), n_voxels=150, n_repeats=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, [SUBJECT], TINY, seed=0)
    return root


def regions(root):
    with h5py.File(root / "truth" / "regions.h5") as file:
        return file[SUBJECT][:].astype(str)


def test_files_have_the_layout_of_the_dataset(root):
    dataset = Dataset(root, {})
    train, test = story_names(TINY)
    respdict = json.loads(dataset.respdict.read_text())
    assert list(respdict) == train + test
    mask = np.asarray(nib.load(root / "mask.nii.gz").dataobj) > 0
    assert len(set(mask.shape)) == 3  # a mix-up of the axes shows
    assert mask.sum() == pytest.approx(TINY.n_voxels, rel=0.15)
    with h5py.File(dataset.eng1000) as file:
        vocab = [word.decode() for word in file["vocab"]]
        assert file["data"].shape == (985, len(vocab))
    for story in respdict:
        data = dataset.read_responses(SUBJECT, story)
        assert data.dtype == np.float32
        assert data.shape == (respdict[story] - 20, mask.sum())
        np.testing.assert_allclose(data.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(data.std(axis=0), 1, atol=1e-5)
        assert set(read_textgrid(dataset.transcript(story)).word) <= set(vocab)


def test_textgrids_are_as_told_markers_apart(root):
    dataset = Dataset(root, {})
    for name in ("train01", "train02"):  # Praat's short and long format
        story = tell(name, generator(0, "story", name), TINY)
        words = read_textgrid(dataset.transcript(name))
        told = [(word, onset, offset) for onset, offset, word in story.words]
        assert list(words.itertuples(index=False, name=None)) == told
        text = dataset.transcript(name).read_text()
        assert '"phone"' in text and '"sp"' in text and '"{LG}"' in text
    assert "xmin" not in dataset.transcript("train01").read_text()
    assert "xmin" in dataset.transcript("train02").read_text()


def test_first_test_story_has_repeats_and_their_average(root):
    dataset = Dataset(root, {})
    with h5py.File(dataset.responses(SUBJECT, "test01")) as file:
        repeats, data = file["individual_repeats"][:], file["data"][:]
    assert repeats.shape == (TINY.n_repeats, *data.shape)
    np.testing.assert_allclose(data, zscore(repeats.mean(axis=0)), atol=1e-4)
    assert not np.array_equal(repeats[0], repeats[1])
    for story in ("train01", "train02"):
        with h5py.File(dataset.responses(SUBJECT, story)) as file:
            assert list(file) == ["data"]


def test_regions_are_contiguous_and_have_their_shares(root):
    mask = np.asarray(nib.load(root / "mask.nii.gz").dataobj) > 0
    region = regions(root)
    volume = np.full(mask.shape, "-")
    volume[mask] = region
    for name, share in zip("ABCD", TINY.shares, strict=True):
        assert np.mean(region == name) == pytest.approx(share, abs=0.01)
        assert ndimage.label(volume == name)[1] == 1
    y = np.nonzero(mask)[1]
    assert y[region == "A"].max() <= y[region == "D"].min()


def test_events_say_where_the_earlier_occurrence_is(root):
    events = pd.read_csv(root / "truth" / "events.tsv", sep="\t")
    assert list(events.columns) == write.EVENT_COLUMNS
    key = ["story", "event", "occurrence"]
    onset = events.set_index(key)["onset"]
    again = events[events.occurrence > 0]
    earlier = [onset[s, e, o - 1] for s, e, o in again[key].itertuples(index=False)]
    np.testing.assert_array_equal(again.earlier_onset, earlier)
    np.testing.assert_array_equal(again.earlier_row_first, np.array(earlier) // 2 - 5)
    assert events[events.occurrence == 0].earlier_onset.isna().all()


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_equal_seeds_give_equal_bytes_and_others_other_data(tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        simulate(tmp_path / name, ["sub01", "sub02"], TINY, seed)
    one, same, other = (files(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    stays = {"mask.nii.gz", "truth/regions.h5"}
    assert {name for name in one if one[name] == other.get(name)} == stays
    responses = "derivative/preprocessed_data/{}/train01.hf5"
    assert one[responses.format("sub01")] != one[responses.format("sub02")]


def test_one_subject_or_story_more_changes_no_word_and_no_noise(tmp_path):
    simulate(tmp_path / "few", ["sub01"], TINY, 0)
    simulate(tmp_path / "more", ["sub02", "sub01"], TINY, 0)
    few, more = files(tmp_path / "few"), files(tmp_path / "more")
    changed = {name for name in few if few[name] != more[name]}
    assert changed == {"truth/regions.h5", "truth/oracle.tsv", "truth/settings.json"}
    longer = dataclasses.replace(TINY, n_train=4)
    simulate(tmp_path / "longer", ["sub01"], longer, 0)
    grids = [name for name in few if name.endswith("TextGrid")]
    assert all(files(tmp_path / "longer")[name] == few[name] for name in grids)


def test_null_changes_region_b_only(root, tmp_path):
    simulate(tmp_path, [SUBJECT], dataclasses.replace(TINY, null=True), seed=0)
    one, null = files(root), files(tmp_path)
    changed = {name.split("/")[1] for name in one if one[name] != null[name]}
    assert changed == {"preprocessed_data", "oracle.tsv", "settings.json"}
    y, y_null = (Dataset(r, {}).read_responses(SUBJECT, "train01") for r in (root, tmp_path))
    assert set(regions(root)[(y != y_null).any(axis=0)]) == {"B"}


def test_interrupted_run_is_not_taken_for_complete(tmp_path, monkeypatch):
    simulate(tmp_path, [SUBJECT], TINY, 0)
    complete = tmp_path / "truth" / "settings.json"
    assert json.loads(complete.read_text())["seed"] == 0

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "write_regions", stop)
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, [SUBJECT], TINY, 1)
    assert not complete.exists()


def test_evoked_is_the_convolution_with_the_double_gamma():
    dt = 0.001
    fine = np.arange(0, 40, dt)
    hrf = stats.gamma.pdf(fine, 6) - stats.gamma.pdf(fine, 16) / 6
    neural = ((fine >= 3) & (fine < 6)) / 3
    expected = signal.fftconvolve(neural, hrf)[: len(fine)] * dt
    times = np.array([1.0, 5.0, 9.0, 11.0, 19.0, 30.0])
    found = bold.evoked(times, np.array([3.0]), np.array([6.0]))[:, 0]
    np.testing.assert_allclose(found, np.interp(times, fine, expected), atol=1e-4)
    assert fine[hrf.argmax()] == pytest.approx(5, abs=0.05)


def test_events_evoke_the_same_again_in_their_story_and_something_else_in_another():
    story = tell("one", generator(0), TINY)
    other = dataclasses.replace(story, name="other")
    meanings = dict.fromkeys(lexicon.vocabulary(), np.ones(TINY.rank_a))
    one, two = (bold.latents(s, meanings, TINY, 0) for s in (story, other))
    np.testing.assert_array_equal(one.meaning, two.meaning)
    assert abs(np.corrcoef(one.events.ravel(), two.events.ravel())[0, 1]) < 0.5
    told_of = [o for o in story.occurrences if o.kind != "decoy"]
    times = story.grid.volume_starts()[story.grid.kept] + 1.0
    single = bold.evoked(times, *np.array([(o.onset, o.offset) for o in told_of]).T)
    same = np.eye(N_PHRASES)[[o.phrase for o in told_of]]  # one column an event
    z, *_ = np.linalg.lstsq(single @ same, one.events, rcond=None)
    np.testing.assert_allclose((single @ same) @ z, one.events, atol=1e-10)
    first = [o.kind == "first" for o in told_of]
    np.testing.assert_allclose(
        one.events - one.recurring, single[:, first] @ (same @ z)[first], atol=1e-10
    )


def test_noise_is_the_subjects_own():
    latent = bold.Latents(np.zeros((300, 8)), np.zeros((300, 6)), np.zeros((300, 6)))
    letters = np.repeat(list("ABCD"), 5)
    one, two = (bold.Subject(n, letters, {"s": latent}, TINY, 0).listen("s") for n in ("a", "b"))
    assert np.abs((one * two).mean(axis=0)[letters != "C"]).max() < 0.3


def test_snr_is_the_signals_variance_over_the_noises():
    settings = dataclasses.replace(TINY, snr_b=3.0, snr_c=3.0)
    rng = np.random.default_rng(0)
    latents = {
        f"s{i}": bold.Latents(*(rng.standard_normal((400, r)) for r in (8, 6, 6))) for i in range(3)
    }
    letters = np.repeat(list("ABCD"), 50)
    subject = bold.Subject("one", letters, latents, settings, seed=0)
    once, again = subject.listen("s0", 0), subject.listen("s0", 1)
    r = (once * again).mean(axis=0)  # the share of variance that repeats
    for region, snr in zip("ABCD", (1, 3, 0, 0), strict=True):  # C's drift is not the story's
        assert r[letters == region].mean() == pytest.approx(snr / (1 + snr), abs=0.06)


def test_settings_from_config():
    assert Settings.from_config(None) == Settings()
    settings = Settings.from_config({"rows": [50, 60], "null": True, "snr_a": 2})
    assert settings.rows == (50, 60) and settings.null and settings.snr_a == 2.0
    assert story_names(settings)[0][:2] == ["train01", "train02"]


def test_all_faulty_settings_are_listed_at_once():
    faulty = {
        "n_trains": 3, "n_voxels": "many", "rows": [100, 50], "phi": 1.5, "null": 1,
        "shares": [0.5, 0.5, 0.5, 0.5], "n_test": 1.5, "n_train": True, "snr_a": [1.0],
    }  # fmt: skip
    with pytest.raises(ProblemError) as error:
        Settings.from_config(faulty)
    places = [problem.place for problem in error.value.problems]
    assert places == sorted(f"simulate.{key}" for key in faulty)
    assert "n_train," in str(error.value)  # the known keys
