"""Tokenizers of every kind: round trips, offsets, errors."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words

DEFAULT = load_tokenizer()


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_default_round_trip_and_offsets(text):
    ids = DEFAULT.encode(text)
    assert DEFAULT.decode(ids) == text
    decoded, ends = DEFAULT.text_and_ends(ids)
    assert decoded == text
    for t, end in enumerate(ends):
        prefix = DEFAULT.bytes_of(ids[: t + 1])
        # A character counts once its last byte has come.
        assert text[:end].encode() == prefix[: len(text[:end].encode())]
        assert len(prefix) - len(text[:end].encode()) < 4


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, DEFAULT.vocab_size - 1), max_size=40))
def test_offsets_are_those_of_a_stream(ids):
    """Also of bytes that form no character."""
    stream = DEFAULT.stream()
    parts = [stream.push(i) for i in ids]
    text, ends = DEFAULT.text_and_ends(ids)
    assert text == "".join(parts)
    assert ends.tolist() == np.cumsum([len(part) for part in parts]).tolist()


def test_the_default_is_compact_english():
    text = "The committee was discussing the government of the country."
    assert len(DEFAULT.encode(text)) <= 12
    assert DEFAULT.vocab_size == 16_384


@pytest.mark.parametrize("kind", ["truncation", "padding", "dropout"])
def test_what_a_saved_tokenizer_keeps_of_its_training_is_turned_off(tmp_path, kind):
    import tokenizers

    text = "The committee was discussing the government of the country. " * 4
    fast = tokenizers.Tokenizer.from_str(DEFAULT.fast.to_str())
    if kind == "truncation":
        fast.enable_truncation(8)
    elif kind == "padding":
        fast.enable_padding(length=200)
    else:
        fast.model.dropout = 0.9
    fast.save(str(tmp_path / "tokenizer.json"))
    for source in (tmp_path, tmp_path / "tokenizer.json"):
        ids = load_tokenizer(source).encode(text)
        assert ids.tolist() == DEFAULT.encode(text).tolist()


@pytest.mark.parametrize(
    "token", ["caf\u00e9", "\u00c9lan", "\u0120x\u00e9", "\u6f22\u5b57", "a b", "<tag>"]
)
def test_an_added_token_is_its_own_text(tmp_path, token):
    """Of letters that byte-level alphabets have for bytes, of others, with spaces."""
    import tokenizers

    fast = tokenizers.Tokenizer.from_str(DEFAULT.fast.to_str())
    fast.add_tokens([tokenizers.AddedToken(token, normalized=False)])
    fast.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(tmp_path)
    text = f"We sat in the {token} a while."
    ids = tokenizer.encode(text)
    assert DEFAULT.vocab_size in ids
    assert tokenizer.bytes_of([DEFAULT.vocab_size]) == token.encode()
    assert tokenizer.decode(ids) == text
    decoded, ends = tokenizer.text_and_ends(ids)
    place = text.index(token) + len(token)
    assert decoded == text and ends[ids.tolist().index(DEFAULT.vocab_size)] == place


def test_an_added_token_that_the_model_has_keeps_its_bytes(tmp_path):
    import tokenizers

    fast = tokenizers.Tokenizer.from_str(DEFAULT.fast.to_str())
    fast.add_tokens([tokenizers.AddedToken("\u0120the", normalized=False)])
    fast.save(str(tmp_path / "tokenizer.json"))
    assert load_tokenizer(tmp_path).fingerprint == DEFAULT.fingerprint


def test_the_suffix_of_a_file_decides_without_case(tmp_path):
    DEFAULT.fast.save(str(tmp_path / "TOKENIZER.JSON"))
    assert load_tokenizer(tmp_path / "TOKENIZER.JSON").fingerprint == DEFAULT.fingerprint
    (tmp_path / "X.MODEL").write_text("{")
    with pytest.raises(InputError, match="not a SentencePiece model"):
        load_tokenizer(tmp_path / "X.MODEL")


def _wordpiece(path):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pieces = {"[UNK]": 0, "the": 1, "cat": 2, "##s": 3}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(path))


def test_wordpiece_pieces_spell_words(tmp_path):
    _wordpiece(tmp_path / "tokenizer.json")
    tokenizer = load_tokenizer(tmp_path)
    ids = tokenizer.encode("the cats")
    assert ids.tolist() == [1, 2, 3]
    assert tokenizer.decode(ids) == " the cats"
    assert tokenizer.decode(tokenizer.encode("the dog")) == " the"  # no word "[UNK]"


def test_words_that_a_tokenizer_does_not_know_are_refused(tmp_path):
    """Static vectors and hidden states of them would all be those of "[UNK]"."""
    _wordpiece(tmp_path / "tokenizer.json")
    tokenizer = load_tokenizer(tmp_path)
    assert tokens_of_words(tokenizer, ["the", "cats"])[1].tolist() == [0, 2]
    with pytest.raises(InputError, match="changes the text"):
        tokens_of_words(tokenizer, ["the", "dog"])


def test_sentencepiece_files_are_read(tmp_path):
    import sentencepiece

    (tmp_path / "text").write_text("the cat sat on the mat\nthe dog sat\n" * 50)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "tokenizer"), vocab_size=300,
        model_type="bpe", byte_fallback=True, minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    tokenizer = load_tokenizer(tmp_path)  # the directory holds tokenizer.model
    ids = tokenizer.encode("the cat é")
    assert tokenizer.decode(ids) == " the cat é"
    assert tokenizer.text_and_ends(ids)[1][-1] == len(" the cat é")
    assert load_tokenizer(tmp_path / "tokenizer.model").fingerprint == tokenizer.fingerprint


NO_BYTES = ["<0xGG>", "<0x+1>", "<0x 1>", "<0x1_>"]


def test_a_piece_that_is_no_byte_is_its_own_text(tmp_path):
    """In SentencePiece the kind of a piece decides: a symbol of the user's is never a byte."""
    import sentencepiece

    (tmp_path / "text").write_text("the cat sat on the mat\nthe dog sat\n" * 50)
    symbols = [*(p for p in NO_BYTES if " " not in p), "<0x4A>"]
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "tokenizer"), vocab_size=60,
        model_type="bpe", minloglevel=2, hard_vocab_limit=False, user_defined_symbols=symbols,
    )  # fmt: skip
    tokenizer = load_tokenizer(tmp_path)
    for piece in symbols:
        assert tokenizer.decode(tokenizer.encode(f"the {piece} cat")) == f" the {piece} cat"


def test_a_piece_that_is_no_byte_is_text_in_json(tmp_path):
    from tokenizers import Tokenizer, decoders, models

    pieces = ["a", *NO_BYTES, "<0x4A>", "<0xe9>"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    fast = Tokenizer(models.BPE(vocabulary, []))
    fast.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    fast.save(str(tmp_path / "tokenizer.json"))
    table = load_tokenizer(tmp_path).table
    assert table == [b"a", *(piece.encode() for piece in NO_BYTES), b"J", b"\xe9"]


@pytest.mark.parametrize("content", ["{", "{}", '{"model": 3}'])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match=r"not a tokenizer\.json"):
        load_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "x.model").write_text(content)
    with pytest.raises(InputError, match="not a SentencePiece model"):
        load_tokenizer(tmp_path / "x.model")


def test_unavailable_names_say_what_to_pass(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="pass a path to"):
        load_tokenizer("nobody/no-such-tokenizer")
    with pytest.raises(InputError, match="no tokenizer here"):
        load_tokenizer(tmp_path)


def test_ids_of_another_tokenizer_are_refused():
    with pytest.raises(InputError, match="another tokenizer"):
        DEFAULT.decode([DEFAULT.vocab_size])


@pytest.mark.shared
def test_gpt2_and_llama_files(shared, tmp_path):
    gpt2 = load_tokenizer(shared / "tokenizers/gpt2")
    assert gpt2.encode("Hello world").tolist() == [15_496, 995]
    assert gpt2.vocab_size == 50_257
    for old, new in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copy(shared / "tokenizers/gpt2" / old, tmp_path / new)
    assert load_tokenizer(tmp_path).fingerprint == gpt2.fingerprint
    llama = load_tokenizer(shared / "tokenizers/llama2")
    assert llama.vocab_size == 32_000
    text = "Naïve 漢字, as they say.\n\tTabs"
    assert llama.decode(llama.encode(text)) == " " + text
    assert gpt2.decode(gpt2.encode(text)) == text
    vocabulary = json.loads((shared / "tokenizers/gpt2/encoder.json").read_text())
    assert sorted(vocabulary.values()) == np.arange(50_257).tolist()
