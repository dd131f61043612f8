"""The encoder that ships with the package."""

import json
from itertools import islice

import numpy as np
import pytest

from gim.encoder.encoder import RECEPTIVE, SHIPPED, Encoder
from gim.evaluation.evaluate import evaluate
from gim.evaluation.measures import summarise
from gim.induction.model import GIM
from gim.text.corpus import read_documents
from gim.text.tokenizer import load_tokenizer


def cosine(encoder: Encoder, a: str, b: str) -> float:
    first, second = (encoder.vectors(text, [len(text)])[0] for text in (a, b))
    return float(first @ second)


def test_it_is_loaded_by_default_and_small():
    encoder = Encoder.from_pretrained()
    assert encoder.tokenizer.fingerprint == load_tokenizer().fingerprint
    assert encoder.config.receptive <= RECEPTIVE
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 16e6


def test_its_card_and_settings_name_what_it_was_made_from():
    settings = json.loads((SHIPPED / "training.json").read_text())
    corpora = " ".join(settings["data"]["corpora"])
    assert "gutenberg" in corpora and "wikipedia" in corpora and "ted" not in corpora
    assert (
        settings["data"]["plain"] == 0.5
        and settings["data"]["length"] >= Encoder.from_pretrained().config.receptive
    )
    card = (SHIPPED / "README.md").read_text()
    assert "CC BY-SA" in card and f"{settings['optimisation']['steps']:,} steps" in card


@pytest.mark.parametrize(
    ("text", "alike", "unlike"),
    [
        ("she put the letter on the", "he laid a book upon the", "they had never been to"),
        ("i want to", "you would like to", "the history of"),
        ("He said that he", "She told them that she", "a small town in"),
    ],
)
def test_what_goes_on_alike_is_alike(text, alike, unlike):
    encoder = Encoder.from_pretrained()
    assert cosine(encoder, text, alike) > cosine(encoder, text, unlike) + 0.1


@pytest.mark.shared
@pytest.mark.parametrize("corpus", ["gutenberg", "wikipedia", "ted"])
def test_fuzzy_induction_beats_exact_on_held_out_text(shared, corpus):
    tokenizer = load_tokenizer()
    model = GIM(tokenizer, None, Encoder.from_pretrained())
    documents = islice(read_documents([shared / "corpora" / f"{corpus}.dev.jsonl.xz"]), 8)
    result = evaluate(documents, model, stride=1, positions=200, seed=0)
    table = summarise(result).set_index("model")["acc_strict"]
    assert table["fuzzy"] > table["exact"] + 0.01
    assert np.isfinite(table).all()
