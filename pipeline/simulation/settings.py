"""Sizes, signal-to-noise ratios and event statistics of a simulated dataset."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import Problem, ProblemError

PLACE = "simulate"  # the configuration's key
N_PHRASES = 16  # different events and decoys that the grammar has for a story
N_DECOYS = 3  # how many of them are decoys
RANGES: dict[str, tuple[float, float]] = {
    "n_train": (1, 99),
    "n_test": (1, 99),
    "rows": (20, 5000),
    "n_voxels": (20, 200_000),
    "n_repeats": (0, 50),
    "event_share": (0.0, 0.5),
    "decoy_share": (0.0, 0.2),
    "min_lag": (4, 1000),
    "n_events": (1, N_PHRASES - N_DECOYS),
    "paraphrase_share": (0.0, 1.0),
    "words_per_second": (1.0, 6.0),
    "semantic_rank": (1, 100),
    "rank_a": (1, 100),
    "rank_b": (1, 100),
    "rank_c": (1, 100),
    "phi": (0.0, 0.99),
    "snr_a": (0.0, 100.0),
    "snr_b": (0.0, 100.0),
    "snr_c": (0.0, 100.0),
    "shares": (0.0, 1.0),
}


@dataclass(frozen=True)
class Settings:
    """What a simulated dataset is like; the defaults are the demo.

    Parameters
    ----------
    n_train, n_test : int
        Training and test stories.
    rows : (int, int)
        Shortest and longest story, rows (TRs).
    n_voxels : int
        Voxels, about: the mask's resolution is a whole number of millimetres.
    n_repeats : int
        Presentations of the first test story; with 0 or 1 it has no repeats.
    event_share, decoy_share : float
        Share of a story's rows that events, and phrases that evoke nothing, are to fill.
    min_lag : int
        TRs between an event's occurrence and the next one, at least.
    n_events : int
        Different events of a story, about; more when the shortest lag leaves none to tell.
    paraphrase_share : float
        Share of the recurrences told in other words.
    words_per_second : float
        Mean speech rate within a phrase.
    semantic_rank : int
        Dimensions of meaning behind the word vectors.
    rank_a, rank_b, rank_c : int
        Dimensions of the signal in the regions A (word meaning), B (events) and C (autoregressive).
    phi : float
        Autocorrelation of region C's signal from one TR to the next.
    snr_a, snr_b, snr_c : float
        Variance of the signal over that of the white noise, in each region.
    shares : (float, float, float, float)
        Shares of the voxels in the regions A, B, C and D.
    null : bool
        Draw an event's response anew at every occurrence: nothing is there to be matched.
    """

    n_train: int = 8
    n_test: int = 2
    rows: tuple[int, int] = (150, 250)
    n_voxels: int = 2000
    n_repeats: int = 5
    event_share: float = 0.4
    decoy_share: float = 0.08
    min_lag: int = 15
    n_events: int = 6
    paraphrase_share: float = 0.5
    words_per_second: float = 3.5
    semantic_rank: int = 12
    rank_a: int = 8
    rank_b: int = 6
    rank_c: int = 8
    phi: float = 0.85
    snr_a: float = 1.0
    snr_b: float = 1.0
    snr_c: float = 1.0
    shares: tuple[float, float, float, float] = (0.3, 0.3, 0.2, 0.2)
    null: bool = False

    @classmethod
    def from_config(cls, config: dict[str, Any] | None) -> Settings:
        """Settings from the configuration's key `simulate`.

        Raises
        ------
        ProblemError
            Unknown keys, and values of a wrong type or out of range; all at once.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        given = dict(config or {})
        problems = [_unknown(key, defaults) for key in given if key not in defaults]
        for key in defaults.keys() & given.keys():
            given[key], wrong = _checked(key, given[key], defaults[key])
            problems += wrong
        if problems:
            raise ProblemError(sorted(problems, key=lambda problem: problem.place))
        return cls(**given)


def story_names(settings: Settings) -> tuple[list[str], list[str]]:
    """Names of the training and of the test stories: train01, ..., test01, ..."""
    train = [f"train{i:02d}" for i in range(1, settings.n_train + 1)]
    return train, [f"test{i:02d}" for i in range(1, settings.n_test + 1)]


def _unknown(key: str, defaults: dict[str, Any]) -> Problem:
    remedy = f"use one of {', '.join(defaults)}"
    return Problem("configuration", f"{PLACE}.{key}", "unknown key", remedy)


def _checked(key: str, value: Any, default: Any) -> tuple[Any, list[Problem]]:
    """Return `value` as the type of `default`, and what is wrong with it."""
    wrong = _fault(key, value, default)
    if wrong:
        what, remedy = wrong
        return value, [Problem("configuration", f"{PLACE}.{key}", what, remedy)]
    return tuple(value) if isinstance(default, tuple) else type(default)(value), []


def _fault(key: str, value: Any, default: Any) -> tuple[str, str] | None:
    """Fault and remedy of a value, None if it is right."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else (f"{value!r} is no switch", "true or false")
    several = isinstance(default, tuple)
    values = value if several and isinstance(value, (list, tuple)) else [value]
    whole = isinstance(default[0] if several else default, int)
    low, high = RANGES[key]
    kind = "whole number" if whole else "number"
    expected = f"give {f'{len(default)} {kind}s' if several else f'a {kind}'} in {low}..{high}"
    if any(
        isinstance(v, bool) or not isinstance(v, int if whole else (int, float)) for v in values
    ):
        return f"{value!r} is no {kind}", expected
    if (several and len(values) != len(default)) or not all(low <= v <= high for v in values):
        return f"{value!r} is out of range", expected
    if key == "rows" and values[0] > values[1]:
        return f"{value!r} is reversed", "the shortest story first"
    if key == "shares" and abs(sum(values) - 1) > 1e-6:
        return f"{value!r} do not add up to 1", "give the regions' shares of the voxels"
    return None
