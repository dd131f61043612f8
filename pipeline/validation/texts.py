"""Texts that a run knows beforehand: corpora, indexes, and what models were trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gim.files import SHIPPED, file_digest
from pipeline.bands.registry import band_options, kind_of
from pipeline.config.models import used_bands
from pipeline.core.progress import track
from pipeline.embedding.eng1000 import documents
from pipeline.validation.embedding import embedding_files
from pipeline.validation.models import MARKS
from pipeline.validation.overlap import words_of

CARD = "training.json"  # what `gim pretrain` and `gim distill` write beside a model
MODELS = ("encoder", "model")  # options of bands that name a model


@dataclass(frozen=True)
class Text:
    """A text that bands were made with.

    Parameters
    ----------
    name : str
        Path of a corpus or of the folder of an index; or, if its text is not here, what is known of
        it: a model, an embedding, a corpus that a model's card lists.
    kind : {"corpus", "index", "unknown"}
        How it is read; the unknown is not.
    tokenizer : str or None
        Tokenizer of an index, as for `gim.text.tokenizer.load_tokenizer`.
    """

    name: str
    kind: Literal["corpus", "index", "unknown"]
    tokenizer: str | None = None

    @property
    def path(self) -> Path:
        """The file by whose content it is known."""
        path = Path(self.name)
        return path / MARKS["index"] if self.kind == "index" else path

    def digest(self) -> str:
        """Equal for equal texts; of an index, of its description, which has its checksums."""
        return file_digest(self.path)

    def words(self) -> Iterator[list[bytes]]:
        """Words of its documents, one document after the other.

        Raises
        ------
        InputError
            If it cannot be read, or the index is of another tokenizer.
        """
        texts = _decoded(self) if self.kind == "index" else documents(Path(self.name))
        return map(words_of, track(texts, f"stories looked for in {self.name}, documents"))


def known_texts(config: dict[str, Any]) -> dict[Text, list[str]]:
    """Every text that a configuration's bands know, and these bands.

    Stories of a simulated dataset are made up: no text is asked for them.
    """
    found: dict[Text, list[str]] = {}
    if config["simulate"] is not None:
        return found
    for band in used_bands(config):
        for text in dict.fromkeys(_texts_of(config, band)):
            found.setdefault(text, []).append(band)
    return found


def text_files(config: dict[str, Any]) -> list[Path]:
    """Files of these texts that are to be read, there or not."""
    return [text.path for text in known_texts(config) if text.kind != "unknown"]


def _texts_of(config: dict[str, Any], band: str) -> Iterator[Text]:
    options = band_options(config, band)
    if "eng1000" in kind_of(options.kind).resources:
        built = config["eng1000"]["corpora"]
        kind: Literal["corpus", "unknown"] = "corpus" if built else "unknown"
        for path in built or embedding_files(config):
            yield Text(str(path), kind)
    if options.own.get("memory") in ("corpus", "both"):
        yield from (Text(path, "corpus") for path in options.own["corpus"])
    if index := options.own.get("index"):
        if config["lm"] and Path(index) == Path(f"results/{config['name']}/lm/index"):
            yield from (Text(path, "corpus") for path in config["lm"]["train"])
        else:
            yield Text(index, "index", options.own.get("tokenizer"))
    for key in MODELS:
        if key in options.own:
            yield from _on_card(str(options.own[key] or SHIPPED))


def _on_card(model: str, known: frozenset[str] = frozenset()) -> Iterator[Text]:
    """What a model and its teachers were trained on, as far as their cards say and files are here.

    Paths on a card are relative to the folder in which `gim` ran, as all paths here.
    """
    try:
        card = json.loads((Path(model) / CARD).read_text(encoding="utf-8"))
        corpora = [str(path) for path in card["data"]["corpora"]]
        teacher = card.get("teacher")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield Text(model, "unknown")
        return
    for path in corpora:
        yield Text(path, "corpus" if Path(path).is_file() else "unknown")
    if isinstance(teacher, str) and teacher not in known:
        yield from _on_card(teacher, known | {model, teacher})


def _decoded(text: Text) -> Iterator[str]:
    """Documents of an index."""
    from gim.infinigram.query import InfiniGram  # compiled code takes seconds to import
    from gim.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(text.tokenizer)
    for tokens in InfiniGram(text.name, tokenizer).documents():
        yield tokenizer.decode(tokens.tolist())
