"""Models and data that are here, by where the configurations of the project look for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants

from gim.files import SHIPPED, unfetched
from gim.infinigram.index import DESCRIPTION
from pipeline.doctor.lines import Line

MODELS = Path("data/models")
SMOLLM2 = MODELS / "SmolLM2-135M-Instruct"
DATASETS = {  # variable that configurations read, what it is, and a file or folder of it
    "DS003020": ("English stories", "derivative/TextGrids"),
    "DS003643": ("Le Petit Prince", "annotation"),
}
ENG1000 = "english1000sm.hf5"
DEPTH = 3  # folders below data/ that are looked into
MOST = 5


def found() -> Iterator[Line]:
    """Lines on the encoder, language models, Eng1000, indexes and datasets."""
    yield _encoder()
    yield _smollm2()
    yield _hub()
    for variable, dataset in DATASETS.items():
        yield _dataset(variable, *dataset)
    roots = [Path(os.environ[name]) for name in DATASETS if os.environ.get(name)]
    own = [root / "derivative" / ENG1000 for root in roots] + _below(Path("data"), ENG1000)
    yield _there("Eng1000", own, "docs/data.md says where it is, or how to build one")
    indexes = [path.parent for path in _below(Path("data"), DESCRIPTION)]
    yield _there("index", indexes, "`gim index` makes one; the band infinigram alone needs it")


def _encoder() -> Line:
    """The encoder that ships: matching by meaning rests on it."""
    weights = sorted(SHIPPED.glob("*.safetensors"))
    problems = [what for path in weights if (what := unfetched(path))]
    if not weights or problems:
        what = problems[0] if problems else "its weights are not there"
        return Line("encoder", what, "BROKEN", "install the package again")
    size = sum(path.stat().st_size for path in weights) / 1e6
    return Line("encoder", f"shipped, {size:.0f} MB")


def _smollm2() -> Line:
    folder = Path(os.environ.get("GIM_SMOLLM2") or SMOLLM2)
    others = sorted(path.name for path in MODELS.glob("*") if path.is_dir() and path != SMOLLM2)
    beside = f"; beside it {', '.join(others[:MOST])}" if others else ""
    if (folder / "model.safetensors").is_file():
        return Line("SmolLM2", f"{folder}{beside}")
    return Line("SmolLM2", f"not here{beside}", remedy="`make smollm2` makes it, where wanted")


def _hub() -> Line:
    """How many models are in the hub's cache; which ones is nobody's business."""
    cache = Path(constants.HF_HUB_CACHE)
    return Line("the hub's cache", f"{len(list(cache.glob('models--*')))} models, {cache}")


def _dataset(variable: str, title: str, inner: str) -> Line:
    value = os.environ.get(variable)
    if not value:
        return Line(variable, f"not set ({title})")
    if not (Path(value) / inner).exists():
        remedy = "set it to the dataset's root, or fetch the dataset"
        return Line(variable, f"{value}: there is no {inner}", "note", remedy)
    return Line(variable, f"{value} ({title})")


def _there(name: str, paths: list[Path], remedy: str) -> Line:
    there = [str(path) for path in paths if path.exists()]
    if not there:
        return Line(name, "none found", remedy=remedy)
    more = f" and {len(there) - MOST} more" if len(there) > MOST else ""
    return Line(name, f"{', '.join(there[:MOST])}{more}")


def _below(folder: Path, name: str) -> list[Path]:
    """Files of a name at most `DEPTH` folders below another."""
    patterns = ("/".join(["*"] * depth + [name]) for depth in range(DEPTH + 1))
    return sorted(path for pattern in patterns for path in folder.glob(pattern))
