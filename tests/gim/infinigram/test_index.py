"""Building an index, and refusing what is broken."""

import gzip
import json
import lzma
import os
import shutil
import stat
import tempfile
import zlib
from contextlib import suppress

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.errors import InputError
from gim.infinigram.index import build_index, describe_index, verify_index
from gim.infinigram.query import InfiniGram
from gim.infinigram.sorting import sort_suffixes, table_width
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


def _retell(folder, **changes):
    """Rewrite gim.json, with the checksums of the files as they are now."""
    about = json.loads((folder / "gim.json").read_text()) | changes
    about["crc32"] = {part: zlib.crc32((folder / part).read_bytes()) for part in about["bytes"]}
    (folder / "gim.json").write_text(json.dumps(about))


def _lead_beyond_the_end(folder):
    table = np.fromfile(folder / "table.0", np.uint8)
    table[len(table) // 4 : len(table) // 2] = 0xFF
    table.tofile(folder / "table.0")


def _do_not_sort(folder):
    table = np.fromfile(folder / "table.0", np.uint8)
    n = json.loads((folder / "gim.json").read_text())["bytes"]["tokenized.0"] // 2
    np.random.default_rng(0).permutation(table.reshape(n, -1)).tofile(folder / "table.0")


def _begin_documents_beyond_the_end(folder):
    offsets = np.fromfile(folder / "offset.0", "<u8")
    offsets[-1] = 2**63
    offsets.tofile(folder / "offset.0")


def _unknown_ids(folder):
    text = np.fromfile(folder / "tokenized.0", "<u2")
    text[text == 599] = 60_000
    text.tofile(folder / "tokenized.0")


HOSTILE = [_lead_beyond_the_end, _do_not_sort, _begin_documents_beyond_the_end, _unknown_ids]


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_index_is_refused_though_its_checksums_agree(indexes, tmp_path, harm):
    shutil.copytree(indexes["u16"][1], tmp_path / "copy")
    harm(tmp_path / "copy")
    _retell(tmp_path / "copy")
    with pytest.raises(InputError, match=r"out of order|does not point|beyond the vocabulary"):
        InfiniGram(tmp_path / "copy")


def test_a_vocabulary_that_no_token_can_have_is_refused(indexes, tmp_path):
    shutil.copytree(indexes["u16"][1], tmp_path / "copy")
    _retell(tmp_path / "copy", vocab_size=10**13)
    with pytest.raises(InputError, match="damaged"):
        InfiniGram(tmp_path / "copy")


@pytest.mark.parametrize("harm", [_lead_beyond_the_end, _do_not_sort])
def test_what_changes_after_it_was_opened_is_not_read_out_of_bounds(indexes, tmp_path, harm):
    """Whoever owns the files may change them: answers are then wrong, but of the vocabulary."""
    docs, path = indexes["u16"]
    shutil.copytree(path, tmp_path / "copy")
    index = InfiniGram(tmp_path / "copy")
    (shard,) = index._shards
    table = shard.table.copy()
    harm(tmp_path / "copy")
    assert not np.array_equal(shard.table, table), "the files are mapped"
    for end in range(0, len(docs[3]), 7):
        ids, counts = index.followers(index.longest(docs[3][:end]))
        assert np.all(ids < 600) and np.all(counts > 0)
    index.score(docs[3][:-1], docs[3][1:])
    index.passages(index.longest(docs[3][:40]))


def test_an_index_is_verified_on_first_sight_and_then_remembered(indexes, tmp_path, monkeypatch):
    monkeypatch.setenv("GIM_CACHE", str(tmp_path / "cache"))
    verified = []
    verify = verify_index
    monkeypatch.setattr(
        "gim.infinigram.index.verify_index", lambda *a, **k: (verified.append(a), verify(*a, **k))
    )
    folder = tmp_path / "one"
    shutil.copytree(indexes["u16"][1], folder)
    for _ in range(2):
        InfiniGram(folder)
    assert len(verified) == 1
    shutil.copytree(folder, tmp_path / "two")
    InfiniGram(tmp_path / "two")
    assert len(verified) == 1, "a copy is known by its content"
    table = (folder / "table.0").read_bytes()
    (folder / "table.0").write_bytes(bytes(len(table)))
    os.utime(folder / "table.0", ns=(1, 1))
    _retell(folder)
    with pytest.raises(InputError, match="out of order"):
        InfiniGram(folder)


def test_where_nothing_can_be_remembered_an_index_is_read_all_the_same(
    indexes, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GIM_CACHE", str(tmp_path / "file"))
    shutil.copytree(indexes["u16"][1], tmp_path / "copy")
    assert InfiniGram(tmp_path / "copy").n_tokens


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0, 1, 2, 255, 256, 599]), min_size=1), min_size=1),
    st.sampled_from([600, 70_000]),
)
def test_both_sorters_write_the_same_table(tmp_path_factory, documents, size):
    """Repeated, single and largest tokens, in two and in four bytes."""
    pytest.importorskip("pydivsufsort")
    folder, tables = tmp_path_factory.mktemp("sorted"), []
    kind = np.dtype("<u2" if size < 0xFFFF else "<u4")
    documents = [[size - 1 if t == 599 else t for t in document] for document in documents]
    parts = [[np.iinfo(kind).max, *document] for document in documents]
    text = np.concatenate([np.array(part, kind) for part in parts])
    text.tofile(folder / "tokenized.0")
    np.zeros(1, "<u8").tofile(folder / "offset.0")
    for installed in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gim.infinigram.sorting.find_spec", lambda _, here=installed: here)
            sort_suffixes(folder, kind.itemsize, 1, 1)
        tables.append((folder / "table.0").read_bytes())
        (folder / "table.0").unlink()
    assert tables[0] == tables[1]
    assert len(tables[0]) == len(text) * table_width(text.nbytes)


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
