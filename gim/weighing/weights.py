"""The numbers of the mixture, by name, and the file that holds them.

The probability of a token is the sum over *sources* of weight times share. Each share comes from
passages, but for the uniform one.

==========  ===================================================================================
ngrams      n-grams of the corpus by interpolated modified Kneser-Ney (`gim.infinigram.kneser_ney`)
longest     what followed the longest suffix that the corpus holds, where n-grams are shorter
matches     earlier places of the context, led by how their last tokens agree with the context's
similar     earlier places, led by the similarity of the encoder's states
words       earlier places, led by how recent and how apt the word that followed is: a cache
uniform     every token of the vocabulary alike
==========  ===================================================================================

*matches*, *similar* and *words* are votes: a softmax over all earlier places of the context of
table[class of agreement] + slopes . features, and what a few hidden units add that see the same.
All three may use all features; where they begin is what their names say. The weights of the sources
are a softmax, too, of linear functions of what is known before the token comes (`GATE`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gim._kernels.weigh import ALL, BEGINS, LAST
from gim.errors import InputError
from gim.files import write_json

HEADS = ("matches", "similar", "words")
SOURCES = ("ngrams", "longest", *HEADS, "uniform")
SLOPES = ("cosine", "cosine_squared", "log_lag", "log_p_ngrams", "log_p_unigram")
UNITS = tuple(f"unit_{i + 1}" for i in range(12))
ORDERS = (1, 2, 3, 4)  # lengths of contexts of n-grams that the gate knows
GATE = (
    "one",
    *(f"log_count_{m}" for m in ORDERS),  # log(1 + count of the last m tokens in the corpus)
    *(f"log_left_{m}" for m in ORDERS),  # log of what their discounts leave to shorter ones
    "log_p_ngrams",  # of the most probable token
    "log_longest",  # log(1 + length of the longest suffix in the corpus)
    "log_places",  # log(1 + places of it)
    "agreement",  # share of the most frequent token after it
    "log_match",  # log(1 + length of the longest match in the context)
    "cosine",  # of the most similar earlier place
    "log_votes",  # log(1 + earlier places)
    *(f"log_strength_{head}" for head in HEADS),  # log of the sum of its votes before the softmax
    *(f"log_focus_{head}" for head in HEADS),  # log of the sum of squares after it
)
FORMAT = 2
SHIPPED = Path(__file__).parents[1] / "data" / "weights.json"


def class_names() -> list[str]:
    """What each class of agreement means: x agrees, . does not, the last token at the right."""
    patterns = [
        "".join("x" if k >> i & 1 else "." for i in reversed(range(LAST))) for k in range(ALL)
    ]
    return patterns + [f"{n}+" for n in BEGINS]


@dataclass(frozen=True)
class Weights:
    """Parameters of a mixture.

    Attributes
    ----------
    table : float array of shape (n_heads, n_classes)
        Of the votes, by `class_names`.
    slopes : float array of shape (n_heads, n_features)
        Of the votes, by `SLOPES`.
    unit_table, unit_slopes : float arrays of shape (n_units, n_classes) and (n_units, n_features)
        What goes into each hidden unit, in the same way; it passes on what is positive.
    unit_votes : float array of shape (n_heads, n_units)
        What it adds to the votes of each head.
    gate : float array of shape (n_sources, n_gate)
        By `SOURCES` and `GATE`.
    """

    table: NDArray[np.float64]
    slopes: NDArray[np.float64]
    unit_table: NDArray[np.float64]
    unit_slopes: NDArray[np.float64]
    unit_votes: NDArray[np.float64]
    gate: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, (rows, columns) in _names().items():
            value, wanted = getattr(self, name), (len(rows), len(columns))
            if value.shape != wanted or not np.isfinite(value).all():
                raise ValueError(f"{name}: shape {value.shape} instead of {wanted}, or not finite")

    @classmethod
    def zeros(cls) -> "Weights":
        """All votes and all sources alike."""
        return cls(*(np.zeros((len(rows), len(columns))) for rows, columns in _names().values()))

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(getattr(self, name).size for name in _names())

    @cached_property
    def of_votes(self) -> tuple[NDArray[np.float64], ...]:
        """What `gim._kernels.weigh.attend` needs: by class, by feature, by unit."""
        parts = self.table, self.slopes, self.unit_table, self.unit_slopes, self.unit_votes
        return tuple(np.ascontiguousarray(part.T) for part in parts)

    def to_dict(self) -> dict:
        """By name, as the file has them."""
        return {name: _named(getattr(self, name), *axes) for name, axes in _names().items()}

    @classmethod
    def from_dict(cls, found: dict) -> "Weights":
        """From what `to_dict` gave."""
        return cls(*(_unnamed(found[name], *axes) for name, axes in _names().items()))


@cache
def _names() -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """Of the rows and columns of each part of `Weights`."""
    classes = class_names()
    return {
        "table": (HEADS, classes),
        "slopes": (HEADS, SLOPES),
        "unit_table": (UNITS, classes),
        "unit_slopes": (UNITS, SLOPES),
        "unit_votes": (HEADS, UNITS),
        "gate": (SOURCES, GATE),
    }


def _named(values: NDArray, rows: Sequence[str], columns: Sequence[str]) -> dict:
    return {
        row: dict(zip(columns, (round(float(v), 4) for v in line), strict=True))
        for row, line in zip(rows, values, strict=True)
    }


def _unnamed(found: dict, rows: Sequence[str], columns: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[found[row][column] for column in columns] for row in rows], np.float64)


def setting(corpus: bool, encoder: bool) -> str:
    """Name of the parameters for a model with or without a corpus and an encoder."""
    return "+".join(["context", *["corpus"] * corpus, *["encoder"] * encoder])


def load_weights(path: str | Path | None = None) -> dict[str, Weights]:
    """Parameters by `setting`; by default those shipped with this package.

    Raises
    ------
    InputError
        When the file is missing or holds something else.
    """
    file = SHIPPED if path is None else Path(path)
    found = _read(file)
    try:
        return {name: Weights.from_dict(value) for name, value in found["weights"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _not_weights(file, error) from error


def _read(file: Path) -> dict[str, Any]:
    """What a file of weights holds."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']} instead of {FORMAT}")
    except OSError as error:
        raise InputError(
            f"{file}: cannot be read ({error.strerror}); make weights with `gim tune`"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _not_weights(file, error) from error
    return found


def _not_weights(file: Path, error: Exception) -> InputError:
    return InputError(f"{file}: no weights of a mixture ({error!r}); make them with `gim tune`")


def load_tau(path: str | Path) -> int | None:
    """The tau of Eq. 5 that `gim tune` chose along with the weights of a file, if it did.

    Raises
    ------
    InputError
        When the file is missing or holds something else.
    """
    file = Path(path)
    found = _read(file)
    if "tau" not in found:
        return None
    try:
        tau = int(found["tau"]["value"])
        if tau < 1:
            raise ValueError(f"tau {tau}")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: no tau ({error!r}); make the file with `gim tune`") from error
    return tau


@cache
def shipped_weights() -> dict[str, Weights]:
    """`load_weights` of the shipped file, read once."""
    return load_weights()


def save_weights(path: str | Path, weights: dict[str, Weights], about: dict[str, Any]) -> None:
    """Write parameters, and ``about`` how they were found."""
    named = {name: value.to_dict() for name, value in weights.items()}
    write_json(path, {"format": FORMAT, **about, "weights": named})


def describe(weights: Weights) -> str:
    """The numbers as text: small tables."""
    found = weights.to_dict()
    lines = [f"{weights.size} numbers"]
    for title, part in (
        ("votes by which last tokens agree (x; 4+: all, so many in a row)", "table"),
        ("slopes of the votes", "slopes"),
        ("hidden units by which last tokens agree", "unit_table"),
        ("slopes of the hidden units", "unit_slopes"),
        ("what hidden units add to the votes", "unit_votes"),
        ("gate of the sources", "gate"),
    ):
        rows: dict = found[part]
        names = list(next(iter(rows.values())))
        width = max(map(len, names))
        lines += ["", title, " " * width + "".join(f"{row:>10}" for row in rows)]
        for name in names:
            lines.append(f"{name:<{width}}" + "".join(f"{r[name]:10.2f}" for r in rows.values()))
    return "\n".join(lines)
