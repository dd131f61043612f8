"""Building an index, and refusing what is broken."""

import gzip
import json
import lzma
import os
import shutil
import stat
import tempfile
from contextlib import suppress

import pytest
import zstandard

from gim.errors import InputError
from gim.infinigram.index import build_index, describe_index, verify_index
from gim.infinigram.query import InfiniGram
from gim.text.tokenizer import Tokenizer, load_tokenizer
from tests.gim.conftest import number_tokenizer


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.zst"])
def test_compressed_corpora_give_the_same_index(tmp_path, suffix):
    content = b'{"text": "1 2 3"}\n\n{"text": "2 3 4"}\n'
    pack = {
        ".jsonl": bytes,
        ".jsonl.gz": gzip.compress,
        ".jsonl.xz": lzma.compress,
        ".jsonl.zst": zstandard.compress,
    }[suffix]
    corpus = tmp_path / f"corpus{suffix}"
    corpus.write_bytes(pack(content))
    description = build_index([corpus], number_tokenizer(9), tmp_path / "out", progress=False)
    assert (description["documents"], description["tokens"]) == (2, 6)
    assert InfiniGram(tmp_path / "out").count([2, 3]) == 1


@pytest.mark.parametrize("name", ["my index", "x;touch PWNED;#", "$(touch PWNED)", "tokenized"])
def test_the_name_of_an_index_means_nothing_to_a_shell(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "a.txt").write_text("1 2 3 1 2")
    (tmp_path / name).mkdir()
    with suppress(InputError):
        build_index([tmp_path / "a.txt"], number_tokenizer(9), tmp_path / name / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a.txt", name])
    assert (tmp_path / name / "out").is_dir(), "it could not be built"
    assert InfiniGram(tmp_path / name / "out").count([1]) == 2


def test_the_name_of_a_folder_for_temporary_files_means_nothing_either(tmp_path, monkeypatch):
    (tmp_path / "my $(touch PWNED)").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "my $(touch PWNED)"))
    (tmp_path / "a.txt").write_text("1 2 3 1 2")
    build_index([tmp_path / "a.txt"], number_tokenizer(9), tmp_path / "out", progress=False)


def test_sorting_runs_no_module_of_the_folder_one_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "infini_gram").mkdir()
    (tmp_path / "infini_gram" / "__init__.py").write_text("open('PWNED', 'w')")
    (tmp_path / "a.txt").write_text("1 2 3 1 2")
    with suppress(InputError):
        build_index([tmp_path / "a.txt"], number_tokenizer(9), tmp_path / "out", progress=False)
    assert not (tmp_path / "PWNED").exists()


def test_the_members_of_a_group_can_read_an_index(tmp_path):
    (tmp_path / "a.txt").write_text("1 2 3 1 2")
    before = os.umask(0o002)
    try:
        build_index([tmp_path / "a.txt"], number_tokenizer(9), tmp_path / "out", progress=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o775
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "out").iterdir()} == {0o664}


def test_plain_text_is_one_document(tmp_path):
    (tmp_path / "a.txt").write_text("1 2 3\n4 5")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"3 4"))
    files = [tmp_path / "a.txt", tmp_path / "b.txt.gz"]
    description = build_index(files, number_tokenizer(9), tmp_path / "out", progress=False)
    assert description["documents"] == 2
    assert InfiniGram(tmp_path / "out").count([3]) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"text": "1"}\n{"text"', "line 2"),
        ("a.jsonl", b'{"body": "1"}\n', 'line 1: no text under the key "text"'),
        ("a.jsonl.gz", gzip.compress(b'{"text": "1 2"}\n' * 900)[:-20], "a.jsonl.gz: cannot"),
        ("a.jsonl.xz", lzma.compress(b'{"text": "1 2"}\n' * 900)[:-20], "a.jsonl.xz: cannot"),
        ("a.jsonl.zst", b"no zstd", "a.jsonl.zst: cannot"),
        ("a.txt", b"\xff\xfe1", "UTF-8"),
        ("a.txt", b"", "not one token"),
    ],
    # gzip writes the time into its bytes, and workers side by side must collect the same names
    ids=["cut line", "other key", "cut gz", "cut xz", "no zstd", "no UTF-8", "empty"],
)
def test_bad_corpora_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        build_index([tmp_path / name], number_tokenizer(9), tmp_path / "out", progress=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]  # nothing half-made is left


@pytest.mark.parametrize("kind", ["truncation", "padding"])
def test_limits_of_a_tokenizer_do_not_reach_an_index(tmp_path, kind):
    fast = load_tokenizer().fast
    fast = type(fast).from_str(fast.to_str())
    (fast.enable_truncation if kind == "truncation" else fast.enable_padding)(**LIMITS[kind])
    fast.save(str(tmp_path / "tokenizer.json"))
    texts = ["A sentence of a few words. " * n for n in (1, 9, 4)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json")
    found = build_index([tmp_path / "a.jsonl"], tokenizer, tmp_path / "out", progress=False)
    assert found["tokens"] == sum(len(load_tokenizer().encode(text)) for text in texts)


LIMITS: dict = {"truncation": {"max_length": 16}, "padding": {"length": 100}}


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda ids: ids[:20],
        lambda ids: ids[20:],
        lambda ids: [*ids[:20], *ids[21:]],
        lambda ids: [*ids, 5],
    ],
    ids=["cut", "late", "hole", "more"],
)
def test_tokens_that_do_not_spell_a_document_are_refused(tmp_path, spoilt):
    """Only the longest of the documents is spoilt."""
    whole = number_tokenizer(99)
    limited = Tokenizer(
        "limited", lambda t: spoilt(i) if len(i := whole.encode(t)) > 20 else i, whole.table
    )
    lines = [" ".join(map(str, range(10, 10 + n))) for n in (3, 7, 40, 2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in lines))
    with pytest.raises(InputError, match=r"'a.jsonl:3': .* do not spell it .*limited cuts"):
        build_index([tmp_path / "a.jsonl"], limited, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_may_normalise_and_not_know(tmp_path):
    """Case, accents, forms of compatibility, punctuation, and words it lacks."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    pieces = {"[UNK]": 0, "the": 1, "cafe": 2, "##s": 3, "fine": 4}
    fast = Fast(models.WordPiece(pieces, unk_token="[UNK]"))
    fast.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.BertNormalizer()])
    fast.pre_tokenizer, fast.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    fast.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json")
    text = "The Caf\u00e9s: zebra \ufb01ne!\nTHE \u6f22"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    found = build_index([tmp_path / "a.txt"], tokenizer, tmp_path / "out", progress=False)
    assert found["tokens"] == 9
    for kept in ([0, 1, 2], range(6), range(8), [0, *range(2, 9)]):
        less = Tokenizer("less", lambda t, k=list(kept): tokenizer.encode(t)[k], tokenizer.table)
        with pytest.raises(InputError, match="less cuts"):
            build_index([tmp_path / "a.txt"], less, tmp_path / "less", progress=False)


def _truncate(folder):
    (folder / "table.0").write_bytes((folder / "table.0").read_bytes()[:-3])


def _remove_offsets(folder):
    (folder / "offset.0").unlink()


def _claim_other_width(folder):
    text = (folder / "gim.json").read_text().replace('"u16"', '"u32"')
    (folder / "gim.json").write_text(text)


def _no_description(folder):
    (folder / "gim.json").unlink()


def _damaged_description(folder):
    (folder / "gim.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_truncate, "table.0"),
        (_remove_offsets, "offset.0"),
        (_claim_other_width, "another token width"),
        (_no_description, "gim.json is missing"),
        (_damaged_description, "damaged"),
        (shutil.rmtree, "no such index"),
    ],
)
def test_a_broken_index_is_an_error_before_any_query(indexes, tmp_path, damage, words):
    """Known errors: a wrong path must not mean another source; a bad index must not crash."""
    shutil.copytree(indexes["u16"][1], tmp_path / "copy")
    damage(tmp_path / "copy")
    with pytest.raises(InputError, match=words):
        InfiniGram(tmp_path / "copy")


def test_verification_finds_a_swapped_entry(indexes, tmp_path):
    shutil.copytree(indexes["u16"][1], tmp_path / "copy")
    table = bytearray((tmp_path / "copy/table.0").read_bytes())
    width = len(table) // (describe_index(tmp_path / "copy")["bytes"]["tokenized.0"] // 2)
    one, two = slice(100 * width, 101 * width), slice(200 * width, 201 * width)
    table[one], table[two] = table[two], table[one]
    (tmp_path / "copy/table.0").write_bytes(table)
    with pytest.raises(InputError, match="out of order"):
        verify_index(tmp_path / "copy")


def test_another_tokenizer_is_refused(indexes):
    with pytest.raises(InputError, match="numbers-600"):
        InfiniGram(indexes["u16"][1], number_tokenizer(601))
    with pytest.raises(InputError, match="numbers-70000"):
        InfiniGram([indexes["u16"][1], indexes["u32"][1]])
