"""Features of all stories: from the stimulus, from a subject's BOLD, and from matches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.bands.registry import LAG, BandOptions, kind_of, matcher
from pipeline.core.atomic import LayoutFile
from pipeline.core.errors import Problem, ProblemError, some
from pipeline.core.places import Places
from pipeline.core.progress import track
from pipeline.core.random import generator
from pipeline.core.series import varies
from pipeline.dataset.basis import BasisFile
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import Story, read_story
from pipeline.matchers.lag import control
from pipeline.matching.matches import (
    Matches,
    induction_features,
    keep_best,
    load_matches,
    newest_match,
    save_matches,
)

WARNINGS = "warnings"
COLUMNS = "columns"
MAX_EMPTY = 0.5  # share of a story's rows with words that may have no features


class BandFile(LayoutFile):
    """Features of every story, before scaling and delays.

    Datasets `STORY`: (n_rows, n_features), float32, one a story. Attributes: `layout`; `warnings`,
    if there are any, of features that say nothing over a story; `columns`, their names, one a line,
    where the kind names them; of bands made by a language model what `Kind.origin` says of it
    (`model`, `model_type`).
    """

    LAYOUT = "band/1"

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._silent: dict[tuple[str, str], list[str]] = {}  # stories by problem and remedy
        self._columns: list[str] | None = None

    @classmethod
    @contextmanager
    def create(
        cls,
        path: str | Path,
        origin: Mapping[str, str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[BandFile]:
        """Make a file, with the model that the features are made by and the names of its columns.

        Names go into one text, as HDF5 has no room for many attributes of a thousand strings.
        """
        with cls._create(path) as made:
            made._file.attrs.update(origin or {})
            made._columns = None if columns is None else list(columns)
            if columns is not None:
                made._file.attrs[COLUMNS] = "\n".join(columns)
            yield made
            made._write_warnings()

    def write(
        self,
        story: str,
        values: np.ndarray,
        compression: str | None = None,
        spoken: np.ndarray | None = None,
    ) -> None:
        """Write the features of a story; what says nothing will be warned of.

        Parameters
        ----------
        story : str
            Its name.
        values : array of shape (n_rows, n_features)
            The features.
        compression : str, optional
            As h5py calls it.
        spoken : array of int, optional
            Rows that have words, for features of words.
        """
        if self._columns is not None and values.shape[1:] != (len(self._columns),):
            named = len(self._columns)
            raise ValueError(f"{story}: features of shape {values.shape}, {named} columns named")
        self._file.create_dataset(story, data=values.astype(np.float32), compression=compression)
        if silence := _silence(values, spoken):
            self._silent.setdefault(silence, []).append(story)

    def warnings(self) -> list[str]:
        """Of features that say nothing over a story."""
        with self._open() as file:
            return list(file.attrs.get(WARNINGS, ()))

    def _write_warnings(self) -> None:
        """Keep and log the warnings, one of each kind for all its stories."""
        found = [
            str(Problem(self.path, some(stories), what, remedy))
            for (what, remedy), stories in self._silent.items()
        ]
        for warning in found:
            logging.warning("%s", warning)
        if found:
            self._file.attrs[WARNINGS] = found

    def columns(self) -> list[str] | None:
        """Names of the columns; None where the kind does not name them."""
        with self._open() as file:
            return str(file.attrs[COLUMNS]).split("\n") if COLUMNS in file.attrs else None

    def read(self, stories: Sequence[str]) -> dict[str, np.ndarray]:
        """Features of stories, arrays of shape (n_rows, n_features), double."""
        with self._open() as file:
            return {story: np.asarray(file[story], np.float64) for story in stories}


def _silence(values: np.ndarray, spoken: np.ndarray | None) -> tuple[str, str] | None:
    """What is wrong with features that are constant, or empty where there are words; a remedy."""
    if not np.any(values):
        return "the features are zero in every row", "look at the story's words and matches"
    if not varies(values).any():
        return "the features are constant", "nothing, if the words are evenly spaced"
    if spoken is not None and (~values[spoken].any(axis=1)).sum() > MAX_EMPTY * len(spoken):
        what = "the features are zero in most of the rows that have words"
        return what, "nothing, if few words have such features; else look at the lexicon"
    return None


def stimulus_features(
    dataset: Dataset,
    words_path: str | Path,
    *,
    stories: Sequence[str],
    options: BandOptions,
    output: str | Path,
    places: Places | None = None,
) -> None:
    """Compute a feature space of the stimulus for every story.

    Parameters
    ----------
    dataset : Dataset
        Where the TR grids are.
    words_path : path
        Parquet of all words (`pipeline.dataset.story.read_stories`).
    stories : sequence of str
        Stories wanted.
    options : BandOptions
        With the paths of its resources.
    output : path
        HDF5 to write (`pipeline.bands.compute.BandFile`).
    places : Places, optional
        How folders are called in it.

    Raises
    ------
    ProblemError
        If the features are zero in all stories: the stimulus does not reach the rows.
    """
    import pandas as pd  # slow to import

    words = pd.read_parquet(words_path)
    kind = kind_of(options.kind)
    origin = _checked_origin(kind.origin(options.own), output) if kind.origin else None
    origin = places.hide(origin) if places else origin
    columns = kind.columns(options.own) if kind.columns else None
    says_something = False
    with BandFile.create(output, origin, columns) as file:
        for name in track(stories, f"{options.kind} features"):
            story = read_story(dataset, words, name)
            values = kind.compute(story, options.own)
            spoken = np.unique(story.grid.row_of(story.words["onset"].to_numpy()))
            spoken = spoken[(spoken >= 0) & (spoken < len(values))]
            file.write(name, values, compression="lzf", spoken=spoken)
            says_something |= bool(np.any(values))
        if stories and not says_something:
            what = "the features are zero in every row of every story"
            remedy = "compare the transcripts' clock and words with `timing` and the band's lexicon"
            raise ProblemError(Problem(output, "features", what, remedy))


def _checked_origin(origin: dict[str, str], output: str | Path) -> dict[str, str]:
    """What a model is, after making sure that a band named llama is LLaMA."""
    if "llama" in Path(output).stem.lower() and origin.get("model_type", "llama") != "llama":
        what = f"the band is called llama, but {origin['model']} is {origin['model_type']}"
        raise ProblemError(Problem(output, "features", what, "give the band another name"))
    return origin


def response_features(
    basis_path: str | Path, *, stories: Sequence[str], options: BandOptions, output: str | Path
) -> None:
    """Compute a feature space of the subject's own past BOLD for every story."""
    with BandFile.create(output) as file:
        for story, scores in BasisFile(basis_path).scores(stories).items():
            file.write(story, band_features(options, scores, None))


def recording_table(dataset: Dataset, subject: str, story: str, options: BandOptions) -> Path:
    """The table that a recording's band is read from."""
    return dataset.file_of(options.own["path"], subject, story)


def recording_features(
    dataset: Dataset,
    subject: str,
    *,
    stories: Sequence[str],
    options: BandOptions,
    output: str | Path,
) -> None:
    """Write what the scans of a subject measured beside the brain, for every story."""
    kind = kind_of(options.kind)
    with BandFile.create(output, columns=kind.columns(options.own) if kind.columns else None) as f:
        for story in stories:
            f.write(story, of_recording(dataset, subject, story, options))


def of_recording(dataset: Dataset, subject: str, story: str, options: BandOptions) -> np.ndarray:
    """What a recording's band says of one story, (n_rows, n_features)."""
    path = recording_table(dataset, subject, story, options)
    return kind_of(options.kind).compute(path, dataset.grid(story), options.own)


def band_features(options: BandOptions, scores: np.ndarray, matches: Matches | None) -> np.ndarray:
    """Features of one story made from BOLD: of the past, or after the matched rows.

    Parameters
    ----------
    options : BandOptions
        Of the band.
    scores : array of shape (n_rows, n_components)
        Principal-component scores of the subject's BOLD in the story.
    matches : Matches or None
        The story's matches, for kinds that are made from them.

    Returns
    -------
    array of shape (n_rows, n_features)
    """
    if matches is None:
        return kind_of(options.kind).compute(scores, options.own["horizon"], options.own)
    matching = options.matching
    copied = scores[:, : matching.components]
    return induction_features(matches, copied, matching.offsets, matching.before)


def story_matches(
    story: Story, subject: str, band: str, options: BandOptions, seed: int
) -> Matches:
    """Match every row of a story to an earlier row of it."""
    newest = newest_match(story.grid.n_rows, options.matching)
    rng = generator(seed, subject, band, story.name)
    return matcher(options.kind).match(story, newest, rng, options.own)


def find_matches(
    dataset: Dataset,
    words_path: str | Path,
    *,
    stories: Sequence[str],
    train: Sequence[str],
    subject: str,
    band: str,
    options: BandOptions,
    seed: int,
    redrawn: str | Path | None,
    output: str | Path,
) -> None:
    """Write the matches of a matcher, or those of its lag-matched control.

    Parameters
    ----------
    dataset, words_path, stories, options
        As for `stimulus_features`.
    train : sequence of str
        Training stories, whose lags a lag-matched control draws from.
    subject, band : str
        Names that give the random generator its own stream.
    seed : int
        Seed of the random controls.
    redrawn : path or None
        Matches of the matcher that a lag-matched control stands for.
    output : path
        Parquet to write.
    """
    import pandas as pd  # slow to import

    matching = options.matching
    if options.kind == LAG:
        newest = {s: newest_match(dataset.grid(s).n_rows, matching) for s in stories}
        assert redrawn is not None, "a lag control redraws the matches of another band"
        matched = control(
            load_matches(redrawn), newest, train, seed, f"{subject}/{band}",
            options.own["draws"], options.own["bins"],
        )  # fmt: skip
    else:
        words = pd.read_parquet(words_path)
        matched = {
            name: story_matches(read_story(dataset, words, name), subject, band, options, seed)
            for name in track(stories, f"{band} matches")
        }
        if matching.best_fraction is not None:
            matched = keep_best(matched, train, matching.best_fraction)
    save_matches(output, matched)


def match_features(
    matches_path: str | Path,
    basis_path: str | Path,
    *,
    stories: Sequence[str],
    options: BandOptions,
    output: str | Path,
) -> None:
    """Write how the BOLD changed after the matched rows of every story."""
    matched = load_matches(matches_path)
    with BandFile.create(output) as file:
        for story, scores in BasisFile(basis_path).scores(stories).items():
            file.write(story, band_features(options, scores, matched[story]))
