"""Corpora are encoded to the same ids as by the tokenizer itself."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Fast
from tokenizers import decoders, models, pre_tokenizers, trainers

from gim.text import bulk
from gim.text.bulk import bulk_encoder
from gim.text.tokenizer import load_tokenizer

pytest.importorskip("tiktoken", reason="needs the extra index")

WORDS = st.lists(
    st.sampled_from(
        ["the", " the", "It's", " 1984", "\n\n", "  ", "\t", " naïve", "日本", "🙂", "…", "a"]
    )
    | st.text(max_size=6)
).map("".join)


def of_bytes(model):
    """A byte-level tokenizer of a model."""
    fast = Fast(model)
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    return fast


def loaded(fast, folder):
    fast.save(str(folder / "tokenizer.json"))
    return load_tokenizer(folder / "tokenizer.json")


@pytest.fixture(scope="module")
def shipped():
    tokenizer = load_tokenizer()
    encode = bulk_encoder(tokenizer)
    assert encode != tokenizer.encode
    return tokenizer, encode


@settings(max_examples=200, deadline=None)
@given(WORDS)
def test_any_text_has_the_same_ids(shipped, text):
    tokenizer, encode = shipped
    found = encode(text)
    np.testing.assert_array_equal(found, tokenizer.encode(text))
    assert found.dtype == np.int64


@pytest.mark.parametrize("block", range(0, 0x30000, 0x4000))
def test_every_character_is_a_letter_a_digit_a_space_or_a_sign_to_both(shipped, block):
    tokenizer, encode = shipped
    characters = [chr(c) for c in range(block, block + 0x4000) if not 0xD800 <= c < 0xE000]
    text = "".join(f" a{c}{c}b {c} 1{c}.{c}  {c}\n{c}" for c in characters)
    np.testing.assert_array_equal(encode(text), tokenizer.encode(text))


@pytest.mark.parametrize(
    "text", ["a" * 100_000, " " * 100_000, " \n" * 50_000 + "a"], ids=["letters", "spaces", "lines"]
)
def test_long_runs(shipped, text):
    tokenizer, encode = shipped
    np.testing.assert_array_equal(encode(text), tokenizer.encode(text))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("abc ", min_size=1, max_size=30), min_size=3, max_size=9), WORDS)
def test_any_vocabulary_that_was_learnt_is_taken(tmp_path_factory, texts, text):
    fast = of_bytes(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    fast.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer = loaded(fast, tmp_path_factory.mktemp("learnt"))
    encode = bulk_encoder(tokenizer)
    assert encode != tokenizer.encode
    for part in (*texts, text):
        np.testing.assert_array_equal(encode(part), tokenizer.encode(part))


def test_added_tokens_in_a_text_are_found(tmp_path):
    fast = Fast.from_str(load_tokenizer().fast.to_str())
    fast.add_special_tokens(["<|end|>"])
    fast.add_tokens(["zebrafish"])
    tokenizer = loaded(fast, tmp_path)
    encode = bulk_encoder(tokenizer)
    assert encode != tokenizer.encode
    for text in ("an end<|end|>", "two zebrafish, one zebra", "none"):
        np.testing.assert_array_equal(encode(text), tokenizer.encode(text))


def by_hand(merges):
    """A vocabulary of some letters' merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = letters + ["".join(merge) for merge in merges]
    return of_bytes(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))


@pytest.mark.parametrize(
    ("merges", "taken"),
    [
        ([("a", "b"), ("ab", "c")], True),
        # "abc" is a|bc by the first merge, and no merge makes it one.
        ([("b", "c"), ("a", "b"), ("ab", "c")], False),
    ],
)
def test_a_vocabulary_in_which_merges_hide_each_other_is_not(tmp_path, merges, taken):
    tokenizer = loaded(by_hand(merges), tmp_path)
    encode = bulk_encoder(tokenizer)
    assert (encode != tokenizer.encode) == taken
    for text in ("abc", "abcab c ab", "bca"):
        np.testing.assert_array_equal(encode(text), tokenizer.encode(text))


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"pre_tokenizer": None},
        {
            "pre_tokenizer": {
                "type": "ByteLevel",
                "add_prefix_space": True,
                "trim_offsets": True,
                "use_regex": True,
            }
        },
    ],
    ids=str,
)
def test_other_ways_to_cut_words_are_not(tmp_path, change):
    spec = json.loads(load_tokenizer().fast.to_str()) | change
    (tmp_path / "tokenizer.json").write_text(json.dumps(spec))
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json")
    assert bulk_encoder(tokenizer) == tokenizer.encode


def test_without_the_package_texts_are_encoded_as_ever(monkeypatch):
    monkeypatch.setattr(bulk, "find_spec", lambda name: None)
    tokenizer = load_tokenizer()
    assert bulk_encoder(tokenizer) == tokenizer.encode
