"""What the match explorer shows: test stories word by word, their matches, and responses."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.series import pearson
from pipeline.dataset.dataset import Dataset
from pipeline.fit.file import FitFile
from pipeline.matching.matches import NO_MATCH, Matches, load_matches
from pipeline.report.units import Unit

N_PASSAGES, N_SHOWN = 5, 10  # passages of a row that are shown, words at each and after it
STEPS = 1000  # responses are kept in thousandths of their unit (standard deviations)


@dataclass(frozen=True)
class Explored:
    """A model whose predictions can be read.

    Parameters
    ----------
    fit : path
        HDF5 of the fit.
    band : str or None
        The matcher band whose matches are shown.
    matches : path or None
        Parquet of the band's matches.
    delays : sequence of int
        Rows after the match's row whose predictions it reaches.
    offsets : sequence of int
        Rows after the matched row whose change of BOLD is copied.
    """

    fit: str | Path
    band: str | None = None
    matches: str | Path | None = None
    delays: Sequence[int] = ()
    offsets: Sequence[int] = ()


def explore(
    dataset: Dataset,
    subject: str,
    *,
    words: pd.DataFrame,
    stories: Sequence[str],
    models: Mapping[str, Explored],
    units: Sequence[Unit],
    recalled: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> dict[str, Any]:
    """Collect the match explorer's data of a subject.

    Parameters
    ----------
    dataset : Dataset
        Where the responses are.
    subject : str
        The subject.
    words : DataFrame
        Columns story, word, onset, offset.
    stories : sequence of str
        Test stories: the only ones with predictions of a model that has not seen them.
    models : mapping of model to Explored
        Models to choose from.
    units : sequence of Unit
        Voxels and regions to choose from; of several voxels, the mean is shown.
    recalled : mapping of model to DataFrame
        Passages of other stories that its memory found (`pipeline.recall.recall.evidence_table`).

    Returns
    -------
    dict
        For JSON. Responses are 16-bit integers in thousandths, base64 (`pack`).
    """
    matches = {m: load_matches(e.matches) for m, e in models.items() if e.matches}
    return {
        "subject": subject,
        "tr": dataset.grid(stories[0]).tr,
        "steps": STEPS,
        "models": {
            name: {"band": e.band, "delays": list(e.delays), "offsets": list(e.offsets)}
            for name, e in models.items()
        },
        "units": [{"label": u.label, "group": u.group, "model": u.model} for u in units],
        "stories": {
            story: {
                **_text(dataset, story, words[words["story"] == story]),
                "matches": {m: _best_matches(found[story]) for m, found in matches.items()},
                "passages": {
                    m: _passages(table[table["story"] == story], dataset.grid(story).n_rows)
                    for m, table in recalled.items()
                },
                **_responses(dataset, subject, story, models, units),
            }
            for story in stories
        },
    }


def pack(values: np.ndarray) -> str:
    """Responses in thousandths as little-endian 16-bit integers, base64; NaN becomes 0."""
    limit = np.iinfo(np.int16).max
    scaled = np.clip(np.round(np.nan_to_num(values) * STEPS), -limit, limit)
    return base64.b64encode(scaled.astype("<i2").tobytes()).decode()


def _text(dataset: Dataset, story: str, words: pd.DataFrame) -> dict[str, Any]:
    """Words of every row; those before the first row and after the last apart."""
    grid = dataset.grid(story)
    row = grid.row_of(words["onset"].to_numpy())
    text = words["word"].to_numpy()
    return {
        "start": float(grid.volume_starts()[grid.kept][0]),
        "before": " ".join(text[row < 0]),
        "rows": [" ".join(text[row == r]) for r in range(grid.n_rows)],
        "after": " ".join(text[row >= grid.n_rows]),
    }


def _best_matches(matches: Matches) -> dict[str, Any]:
    """The match of most weight of each row, its similarity and weight, and how many there are."""
    table = pd.DataFrame(
        {
            "row": matches.row,
            "to": matches.match_row,
            "similarity": np.round(matches.similarity, 4),
            "weight": np.round(matches.weight, 4),
            "words": matches.words,
        }
    )
    n_rows = int(table["row"].max()) + 1
    found = table[table["to"] != NO_MATCH]
    counts = found.groupby("row").size().reindex(range(n_rows), fill_value=0)
    best = found.sort_values("weight", kind="stable").groupby("row").tail(1).set_index("row")
    best = best.reindex(range(n_rows))
    return {
        "to": best["to"].fillna(NO_MATCH).astype(int).tolist(),
        "similarity": [None if np.isnan(s) else s for s in best["similarity"].tolist()],
        "weight": best["weight"].fillna(0.0).tolist(),
        "words": best["words"].fillna("").tolist(),
        "count": counts.tolist(),
    }


def _passages(table: pd.DataFrame, n_rows: int) -> list[dict[str, Any]]:
    """The passages of most weight of each row: story, weight, words there and those that followed.

    With them `effective`, how many equal shares say as much as all of the row's weights.
    """
    found: list[dict[str, Any]] = [{"effective": 0, "best": []} for _ in range(n_rows)]
    for row in sorted(set(table["tr"].tolist())):
        own = table[table["tr"] == row]
        best = own.nlargest(N_PASSAGES, "weight")
        columns = [best[key].tolist() for key in ("passage_story", "weight", "words", "followed")]
        found[row] = {
            "effective": round(float(1 / np.square(own["weight"].to_numpy(float)).sum()), 1),
            "best": [
                [
                    of,
                    round(w, 4),
                    " ".join(there.split()[-N_SHOWN:]),
                    " ".join(next_.split()[:N_SHOWN]),
                ]
                for of, w, there, next_ in zip(*columns, strict=True)
            ],
        }
    return found


def _responses(
    dataset: Dataset,
    subject: str,
    story: str,
    models: Mapping[str, Explored],
    units: Sequence[Unit],
) -> dict[str, Any]:
    """Measured and predicted responses of every unit, and what the matches added."""
    measured = _means(dataset.read_responses(subject, story), units)
    predicted = {}
    for name, model in models.items():
        fit = FitFile(model.fit)
        values = _means(fit.predictions(stories=[story])[story], units)
        series: dict[str, Any] = {"predicted": [pack(v) for v in values]}
        r = pearson(values.T, measured.T)
        series["r"] = [None if np.isnan(x) else round(float(x), 4) for x in r]
        if model.band and (copied := fit.copied(story)) is not None:
            series["copied"] = [pack(v) for v in _means(copied, units)]
        predicted[name] = series
    return {"measured": [pack(v) for v in measured], "predicted": predicted}


def _means(responses: np.ndarray, units: Sequence[Unit]) -> np.ndarray:
    """Mean response of each unit's voxels, array of shape (n_units, n_rows)."""
    return np.stack([np.asarray(responses[:, u.voxels], float).mean(axis=1) for u in units])
