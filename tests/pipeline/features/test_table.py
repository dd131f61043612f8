"""Features that others made, in every format, and every way in which they do not fit."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.bands.compute import BandFile, stimulus_features
from pipeline.bands.registry import band_options
from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories
from pipeline.features.table import KIND, columns, compute, values_of
from pipeline.readers.feature_table import read_feature_table
from pipeline.validation.tables import check_tables, table_files
from tests.helpers.datasets import N_ROWS, make_config, write_dataset
from tests.helpers.stories import story

NAMES = ["loudness", "is it food?"]
N_WORDS = 30
VALUES = np.random.default_rng(0).standard_normal((N_WORDS, 2)).round(4)


def made(**others):
    return {**KIND.options, **others}


def told(name="a", n_rows=12):
    return story([f"w{i}" for i in range(N_WORDS)], n_rows=n_rows, name=name)


def frame(values=VALUES, **keys):
    return pd.DataFrame(values, columns=NAMES).assign(**keys)


def write(path, values=VALUES, names=NAMES, key="data", **others):
    """One story in the format that the suffix says."""
    table = frame(values, **others)
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix in (".csv", ".tsv"):
        table.to_csv(path, sep="," if path.suffix == ".csv" else "\t", index=False)
    elif path.suffix == ".npz":
        np.savez(path, **{key: values, "columns": names})
    else:
        with h5py.File(path, "w") as file:
            file[key], file["columns"] = values, names
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".npz", ".h5"])
@pytest.mark.parametrize("of_all", [False, True])
def test_formats_hold_the_same_with_their_names(tmp_path, suffix, of_all):
    pattern = tmp_path / f"{'all' if of_all else '{story}'}{suffix}"
    if of_all and suffix in (".csv", ".tsv", ".parquet"):
        write(pattern, story="a")
    else:
        write(tmp_path / f"{'all' if of_all else 'a'}{suffix}", key="a" if of_all else "data")
    options = made(path=str(pattern))
    assert columns(options) == NAMES
    np.testing.assert_allclose(values_of("a", told().words, 12, options), VALUES)
    with pytest.raises(ProblemError, match=r"the story is not in it|does not exist"):
        values_of("b", told().words, 12, options)


def test_words_go_to_rows_as_any_feature_does_and_rows_stay(tmp_path):
    options = made(path=str(write(tmp_path / "a.csv", story="a")), downsample="sum")
    np.testing.assert_allclose(compute(told(), options), told().to_rows(VALUES, "sum"))
    rows = made(path=str(write(tmp_path / "r.csv", VALUES[:12], story="a")), per="tr")
    np.testing.assert_allclose(compute(told(), rows), VALUES[:12])


def test_words_are_joined_by_index_or_by_the_nearest_onset(tmp_path):
    order = np.random.default_rng(1).permutation(N_WORDS)
    by_index = write(tmp_path / "i.csv", VALUES[order], story="a", index=order)
    options = made(path=str(by_index))
    np.testing.assert_allclose(values_of("a", told().words, 12, options), VALUES)
    onsets = told().words["onset"].to_numpy()
    more = np.vstack([VALUES[order], [[9.0, 9.0]]])  # and a row of no word
    times = np.append(onsets[order] + 0.02, onsets.max() + 5)
    by_onset = write(tmp_path / "o.csv", more, story="a", onset=times)
    options = made(path=str(by_onset), tolerance=0.05)
    np.testing.assert_allclose(values_of("a", told().words, 12, options), VALUES)
    with pytest.raises(ProblemError, match=r"30 words have no row within 0.01 s, the first at 0"):
        values_of("a", told().words, 12, options | {"tolerance": 0.01})


def test_columns_are_taken_by_name(tmp_path):
    path = str(write(tmp_path / "a.csv", story="a"))
    options = made(path=path, columns=["is it food?"])
    assert columns(options) == ["is it food?"]
    assert values_of("a", told().words, 12, options).shape == (N_WORDS, 1)
    with pytest.raises(ProblemError, match=r"no column 'x'.*loudness, is it food\?"):
        read_feature_table(path, "a", ["x"])


def nan(values):
    return np.where(np.arange(N_WORDS)[:, None] == 3, np.nan, values)


@pytest.mark.parametrize(
    ("values", "keys", "options", "said"),
    [
        (VALUES[:-1], {}, {}, "29 rows, but a has 30 words"),
        (VALUES, {}, {"per": "tr"}, "30 rows, but a has 12 TRs"),
        (nan(VALUES), {}, {}, "no number in column 'loudness', row 4 of a"),
        (VALUES, {"index": 0}, {}, "`index` is not each of 0 to 29 once"),
        (VALUES, {}, {"tolerance": 1.0}, "some rows have none"),
        (VALUES, {"onset": 0.0}, {"tolerance": 100.0}, "nearest to several words"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(tmp_path, values, keys, options, said):
    path = write(tmp_path / "a.csv", values, story="a", **keys)
    with pytest.raises(ProblemError, match=said) as caught:
        values_of("a", told().words, 12, made(path=str(path), **options))
    assert len(caught.value.problems) == 1
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.npz", b"PK no zip", "not a readable file of arrays"),
        ("a.h5", b"no HDF5 at all", "truncated or not HDF5"),
        ("a.parquet", b"no Parquet", "not Parquet"),
        ("a.csv", b"story\na\n", "no column of features"),
        ("a.csv", b"x\n1\n", "has no column `story`"),
        ("a.txt", b"x\n1\n", "no reader of features"),
    ],
)
def test_files_that_are_none_are_said_to_be(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProblemError, match=said):
        read_feature_table(str(tmp_path / name), "a")


def test_stories_with_other_columns_are_refused(tmp_path):
    write(tmp_path / "a.csv")
    frame().rename(columns={"loudness": "pitch"}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ProblemError, match=r"its columns are pitch.*not loudness"):
        values_of("b", told().words, 12, made(path=str(tmp_path / "{story}.csv")))


@pytest.fixture
def config(tmp_path):
    """A dataset of four stories of two words, and a table of each."""
    stories = ["a", "b", "c", "d"]
    write_dataset(tmp_path, stories, ["S1"])
    for name in stories:
        frame(VALUES[:2]).to_csv(tmp_path / f"{name}.csv", index=False)
    own = {"kind": "table", "path": str(tmp_path / "{story}.csv"), "made_by": "a hand"}
    return make_config(
        tmp_path, stories, {"S1": {}}, features={"eng1000": {}, "own": own}, models={"m": ["own"]},
        baseline="m",
    )  # fmt: skip


def test_all_tables_are_checked_before_anything_is_made(config, tmp_path):
    n_rows = dict.fromkeys("abcd", N_ROWS)
    assert check_tables(config, n_rows).problems == []
    assert table_files(config) == [tmp_path / f"{s}.csv" for s in "abcd"]
    (tmp_path / "b.csv").unlink()
    frame(VALUES[:3]).to_csv(tmp_path / "d.csv", index=False)
    said = [str(p) for p in check_tables(config, n_rows).problems]
    assert len(said) == 2
    assert "b.csv" in said[0]
    assert "3 rows, but d has 2 words" in said[1]


def test_a_model_that_was_trained_on_a_test_story_or_subject_is_refused(config):
    config["features"]["own"]["trained_on"] = {"stories": ["a", "d"], "subjects": ["S1", "S9"]}
    said = [p.what for p in check_tables(config, {}).problems]
    assert said == [
        "its model was trained on stories of this run: d",
        "its model was trained on subjects of this run: S1",
    ]


def test_names_and_what_is_declared_are_kept_with_the_features(config, tmp_path):
    dataset = Dataset.from_config(config)
    read_stories(dataset, "abcd").to_parquet(tmp_path / "words.parquet")
    for name in "abcd":
        frame(VALUES[:N_ROWS]).to_csv(tmp_path / f"{name}.csv", index=False)
    config["features"]["own"]["per"] = "tr"
    options = band_options(config, "own")
    stimulus_features(
        dataset, tmp_path / "words.parquet", stories="abcd", options=options,
        output=tmp_path / "own.h5",
    )  # fmt: skip
    assert BandFile(tmp_path / "own.h5").columns() == NAMES
    with h5py.File(tmp_path / "own.h5") as file:
        assert file.attrs["made_by"] == "a hand"
        assert file.attrs["audited"] == "no, declared"
