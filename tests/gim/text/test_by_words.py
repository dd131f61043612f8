"""Texts encoded word by word against the library."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.text import by_words
from gim.text.by_words import ByWords
from gim.text.tokenizer import LONG, _splits_like_gpt2, load_tokenizer

FAST = load_tokenizer().fast
WORDS = ByWords(FAST)
PIECES = [
    *("'s", "'ll", "'re", "'S", "'", "don't", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "a", "B"),
    *("1", "\u00bd", "\u0661", "\u2167", "!", "...", "\u00e9", "e\u0301", "\u6f22", "\U0001f600"),
    *("\u200d", "\x00", "\ufeff", "\x1c", "\x85", "\u2028", "\u16ee", "\u0e01"),
]
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES)).map("".join))


def by_library(text, fast=FAST):
    return fast.encode(text, add_special_tokens=False).ids


@settings(max_examples=600, deadline=None)
@given(texts)
def test_the_tokens_are_those_of_the_library(text):
    assert WORDS.encode(text).tolist() == by_library(text)


def test_a_text_in_every_script_and_again():
    """Whatever the library's tables call a letter, a number or white space."""
    text = "".join(f"a{chr(c)}1{chr(c)} {chr(c)}! " for c in [*range(0x3000), 0x1D7CE, 0x10FFFF])
    for _ in range(2):
        assert WORDS.encode(text).tolist() == by_library(text)


@pytest.mark.parametrize(
    "text",
    ["a<|endoftext|>b", "<|endoftext|>", "half \ud800", "x" * (by_words.LONGEST + 1)],
)
def test_what_it_cannot_do_it_leaves_to_the_library(text):
    fast = load_tokenizer().fast
    fast.add_special_tokens(["<|endoftext|>"])
    assert ByWords(fast).encode(text) is None


def test_a_memory_that_is_too_small_changes_nothing(monkeypatch):
    monkeypatch.setattr(by_words, "CAPACITY", 60)
    own = ByWords(FAST)
    parts = [f"w{i}x and y{i} again, {i * i} " for i in range(40)]
    for text in (*parts, "".join(parts)):
        assert own.encode(text).tolist() == by_library(text)
    assert own.encode("a word").tolist() == by_library("a word")


def test_other_tokenizers_are_left_to_the_library():
    spec = json.loads(FAST.to_str())
    assert _splits_like_gpt2(spec)
    spaced = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
    digits = {"type": "Sequence", "pretokenizers": [spec["pre_tokenizer"]]}
    for change in (
        {"pre_tokenizer": spaced},
        {"pre_tokenizer": digits},
        {"pre_tokenizer": None},
        {"normalizer": {"type": "NFC"}},
        {"model": {"type": "Unigram"}},
    ):
        assert not _splits_like_gpt2(spec | change)


def test_long_texts_are_encoded_by_words():
    tokenizer, text = load_tokenizer(), "it was, wasn't it? " * LONG
    assert tokenizer.encode(text).tolist() == by_library(text)
