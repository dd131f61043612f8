"""Sound inputs of every kind, and how the project reads each."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gim.causal.hidden import read_words
from gim.encoder.encoder import Encoder
from gim.infinigram.kneser_ney import KneserNey
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.training.reading import read_settings
from gim.training.settings import Distillation
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import load_tau, load_weights
from pipeline.config.load import load
from pipeline.config.stories import all_stories
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories
from pipeline.embedding.eng1000 import Eng1000, read_basis
from pipeline.states.model import load_model
from pipeline.validation.manifest import manifest
from pipeline.validation.validate import validate
from pipeline.voxels.volume import Mask
from tests.conftest import REPOSITORY
from tests.fuzz.registry import Specimen

SUBJECT, STORY, TEST = "SIM01", "train02", "test01"
CONFIG = "tiny.yaml"
TEXT = "It was the best of times, it was the worst of times; we went to the sea. Caf\u00e9.\n"


@cache
def shipped_tokenizer() -> Tokenizer:
    """The tokenizer of the package, which is never damaged and takes a while to read."""
    return load_tokenizer()


def read_dataset(root: Path) -> tuple[Any, list[str]]:
    """Validate a dataset, and read all that the workflow would read of it."""
    os.environ["DAMAGED"] = str(root)  # the configuration's paths begin with it
    config = load(root / CONFIG)
    warnings = [str(warning) for warning in validate(config)]
    dataset = Dataset.from_config(config)
    mask = Mask.from_config(config["mask"], SUBJECT)
    eng1000 = Eng1000.load(dataset.eng1000)
    described = manifest(config)
    values = {
        "words": read_stories(dataset, all_stories(config)).to_dict("list"),
        "responses": [dataset.read_responses(SUBJECT, s) for s in all_stories(config)],
        "repeats": dataset.read_repeats(SUBJECT, TEST),
        "eng1000": eng1000.vectors(["the", "sea"]),
        "vocab": eng1000.vocab,
        "voxels": mask.voxels,
        "affine": mask.img.affine,
        "rows": described["n_rows"],
    }
    return values, warnings


def read_config(root: Path) -> tuple[Any, list[str]]:
    """Read a configuration."""
    return load(root / CONFIG), []


def _read_corpus(name: str) -> Any:
    def read(root: Path) -> tuple[Any, list[str]]:
        return [document.text for document in read_documents([root / name])], []

    return read


def _read_basis(root: Path) -> tuple[Any, list[str]]:
    return read_basis(root / "basis.txt"), []


def _read_index(root: Path) -> tuple[Any, list[str]]:
    """Open an index and ask it."""
    tokenizer = shipped_tokenizer()
    index = InfiniGram(root / "index", tokenizer)
    ids = tokenizer.encode(TEXT)
    match = index.longest(ids)
    scores = index.score(ids[:-1], ids[1:])
    values = {
        "match": (match.length, match.total),
        "followers": [index.followers(index.longest(ids[:n])) for n in range(len(ids))],
        "passages": [p.tokens for p in index.passages(match)],
        "lengths": scores.p_next,
    }
    return values, []


def _read_ngrams(root: Path) -> tuple[Any, list[str]]:
    """Open the n-grams of an index, and ask for what comes after every beginning of a text."""
    model, ids = KneserNey(root / "index"), shipped_tokenizer().encode(TEXT)
    return [model.distribution(ids[:n], True)[ids[n]] for n in range(len(ids))], []


def _read_weights(root: Path) -> tuple[Any, list[str]]:
    """Read weights and tau, and weigh with them."""
    path, tokenizer = root / "weights.json", shipped_tokenizer()
    model = WeightedGIM(tokenizer, weights=load_weights(path))
    stream = model.stream()
    stream.extend(tokenizer.encode(TEXT))
    return {"tau": load_tau(path), "p": stream.distribution().copy()}, []


def _read_encoder(root: Path) -> tuple[Any, list[str]]:
    encoder = Encoder.from_pretrained(root / "encoder")
    return encoder.vectors(TEXT, [10, len(TEXT)]), []


def _read_causal(root: Path) -> tuple[Any, list[str]]:
    """Load a model as bands do, and look at the states of a few words."""
    model, tokenizer, _ = load_model.__wrapped__(str(root / "causal"), None)
    return read_words(model, tokenizer, ["the", "sea"], [1]).states, []


def _read_tokenizer(root: Path) -> tuple[Any, list[str]]:
    tokenizer = load_tokenizer(root / "tokenizer.json")
    ids = tokenizer.encode(TEXT)
    return {"ids": ids, "text": tokenizer.decode(ids)}, []


def _read_pieces(root: Path) -> tuple[Any, list[str]]:
    tokenizer = load_tokenizer(root / "tokenizer.model")
    return {"ids": list(tokenizer.encode(TEXT)), "size": tokenizer.vocab_size}, []


def _read_training(root: Path) -> tuple[Any, list[str]]:
    return read_settings(root / "distill.yaml", Distillation), []


def _derivative(*parts: str) -> Any:
    return lambda root: root.joinpath("derivative", *parts)


TEXTGRID = Specimen(
    "TextGrid", _derivative("TextGrids", f"{STORY}.TextGrid"), read_dataset, "dataset"
)
RESPONSES = Specimen(
    "Responses", _derivative("preprocessed_data", SUBJECT, f"{STORY}.hf5"), read_dataset, "dataset"
)
REPEATS = Specimen(
    "Repeats", _derivative("preprocessed_data", SUBJECT, f"{TEST}.hf5"), read_dataset, "dataset"
)
VOLUMES = Specimen("Volume counts", _derivative("respdict.json"), read_dataset, "dataset")
ENG1000 = Specimen("Eng1000", _derivative("english1000sm.hf5"), read_dataset, "dataset")
MASK = Specimen("Mask", lambda root: root / "mask.nii.gz", read_dataset, "dataset")
CONFIGURATION = Specimen("Configuration", lambda root: root / CONFIG, read_config, "dataset")
CORPORA = {
    suffix: Specimen(
        f"Corpus {suffix}",
        lambda root, suffix=suffix: root / f"corpus{suffix}",
        _read_corpus(f"corpus{suffix}"),
        "language",
    )
    for suffix in (".txt", ".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.zst", ".txt.zst")
}
BASIS = Specimen("Basis words", lambda root: root / "basis.txt", _read_basis, "language")
INDEX = Specimen("Index", lambda root: root / "index", _read_index, "language")
ENCODER = Specimen("Encoder", lambda root: root / "encoder", _read_encoder, "language")
CAUSAL = Specimen("Language model", lambda root: root / "causal", _read_causal, "language")
TOKENIZER = Specimen("Tokenizer", lambda root: root / "tokenizer.json", _read_tokenizer, "language")
PIECES = Specimen(
    "SentencePiece model", lambda root: root / "tokenizer.model", _read_pieces, "language"
)
NGRAMS = Specimen(
    "N-gram tables", lambda root: root / "index" / "kneser_ney", _read_ngrams, "language"
)
WEIGHTS = Specimen("Weights", lambda root: root / "weights.json", _read_weights, "language")
TRAINING = Specimen("Training", lambda root: root / "distill.yaml", _read_training, "language")


def write_config(root: Path) -> None:
    """Write the tiny configuration for a dataset in `root`."""
    config = yaml.safe_load((REPOSITORY / "config" / "tiny.yaml").read_text(encoding="utf-8"))
    config |= {"data_root": "$DAMAGED", "simulate": None, "regions": {}}
    config["mask"]["path"] = "$DAMAGED/mask.nii.gz"
    config["statistics"] |= {"min_shift": 5, "block": 5}  # 33 rows can then be tested
    (root / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, arrays within them too."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
