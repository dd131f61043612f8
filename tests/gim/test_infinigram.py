"""The index and its queries: against brute force, exact induction and the package's engine."""

import gzip
import json
import lzma
import shutil
from collections import Counter

import numpy as np
import pytest
import zstandard
from conftest import number_tokenizer

from gim.errors import InputError
from gim.exact import ExactInduction
from gim.index import build_index, describe_index, verify_index
from gim.infinigram import InfiniGram
from gim.scores import rank

VOCABULARY = {"u16": 600, "u32": 70_000}


def documents(rng, low, high, sizes):
    return [rng.integers(low, high, n).tolist() for n in sizes]


def build(folder, docs, tokenizer, name="index"):
    corpus = folder / f"{name}.jsonl"
    corpus.write_text("".join(json.dumps({"text": " ".join(map(str, d))}) + "\n" for d in docs))
    build_index([corpus], tokenizer, folder / name, progress=False)
    return folder / name


def brute(docs, query):
    """Continuations of ``query`` inside the documents."""
    n = len(query)
    return Counter(d[i + n] for d in docs for i in range(len(d) - n) if d[i : i + n] == query)


def brute_longest(docs, context):
    for n in range(len(context), -1, -1):
        found = brute(docs, context[len(context) - n :])
        if found:
            return n, found
    raise AssertionError("an empty corpus")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory):
    """One corpus, as a u16 and a u32 index; ids differ in both bytes and cross 65,535."""
    rng, built = np.random.default_rng(5), {}
    for dtype, size in VOCABULARY.items():
        docs = documents(rng, size - 6, size, [40, 1, 7, 160, 90])
        docs += [*documents(rng, 0, size, [50]), docs[3][:60]]
        folder = tmp_path_factory.mktemp(dtype)
        built[dtype] = (docs, build(folder, docs, number_tokenizer(size)))
    return built


@pytest.mark.parametrize("dtype", ["u16", "u32"])
def test_longest_match_and_counts_agree_with_brute_force(indexes, dtype, rng):
    docs, path = indexes[dtype]
    assert describe_index(path)["token_dtype"] == dtype
    index = InfiniGram(path)
    size = VOCABULARY[dtype]
    for _ in range(150):
        context = rng.integers(size - 6, size, rng.integers(0, 9)).tolist()
        if rng.random() < 0.5:  # end in a piece of the corpus, often its very end
            doc = docs[rng.integers(len(docs))]
            end = len(doc) if rng.random() < 0.5 else rng.integers(1, len(doc) + 1)
            context += doc[max(0, end - 12) : end]
        match = index.longest(context)
        length, expected = brute_longest(docs, context)
        assert match.length == length
        assert dict(zip(*(a.tolist() for a in index.followers(match)), strict=True)) == expected
        if length:
            assert match.total == expected.total() == index.count(context[-length:])


def test_end_of_a_document_is_no_continuation(tmp_path):
    """Known error: a match at a document's end must not answer with nothing."""
    docs = [[1, 2, 3, 4], [9, 3, 5]]
    index = InfiniGram(build(tmp_path, docs, number_tokenizer(20)))
    match = index.longest([2, 3, 4])
    assert match.length == 0  # "4" only ends documents
    assert index.followers(match)[0].tolist() == [3, 1, 2, 4, 5, 9]
    assert index.count([3]) == 2
    assert index.longest([2, 3]).length == 2


@pytest.mark.parametrize("window", [None, 5])
def test_scores_are_those_of_single_queries(indexes, window, rng):
    docs, path = indexes["u16"]
    index = InfiniGram(path)
    ids = np.array(docs[3][20:80] + rng.integers(594, 600, 40).tolist() + docs[4][:20])
    targets = np.append(ids[1:], 3)
    whole = index.score(ids, targets, window)
    for t in range(len(ids)):
        begin = 0 if window is None else max(0, t + 1 - window)
        match = index.longest(ids[begin : t + 1])
        top, p, greater, equal = rank(*index.followers(match), int(targets[t]))
        row = whole[t]
        assert (row.suffix_len, row.top, row.greater, row.equal) == (
            match.length,
            top,
            greater,
            equal,
        )
        assert row.p_next == pytest.approx(p)


def test_several_indexes_answer_by_the_longest_match(tmp_path):
    tokenizer = number_tokenizer(30)
    first = [[1, 2, 3, 4, 5], [7, 8, 1]]
    second = [[2, 3, 9, 9], [7, 8, 2, 8, 1]]
    paths = [build(tmp_path, docs, tokenizer, f"i{i}") for i, docs in enumerate((first, second))]
    both = InfiniGram(paths)
    for context in ([1, 2, 3], [0, 2, 3], [7, 8], [29]):
        length, expected = brute_longest(first + second, context)
        match = both.longest(context)
        assert match.length == length
        assert dict(zip(*(a.tolist() for a in both.followers(match)), strict=True)) == expected
    scores = both.score([2, 3, 7, 8], [9, 1, 1, 2])
    assert scores.suffix_len.tolist() == [1, 2, 1, 2]
    assert scores.p_next.tolist() == [0, 0, 0, 1 / 2]


def test_exact_induction_and_infinigram_agree_to_the_last_count(tmp_path, rng):
    """The index of a text, asked for its own prefix's suffix, is exact induction on that text."""
    ids = rng.choice(12, 900, p=rng.dirichlet(np.ones(12)))
    for cut in (5, 60, 400, 900):
        text = ids[:cut].tolist()
        index = InfiniGram(build(tmp_path, [text], number_tokenizer(12), f"cut{cut}"))
        induction = ExactInduction()
        induction.extend(text)
        match = index.longest(text)
        assert match.length == induction.suffix_len
        for mine, theirs in zip(index.followers(match), induction.counts(), strict=True):
            assert mine.tolist() == theirs.tolist()


def test_counts_agree_with_the_engine_of_the_package(indexes, rng):
    docs, path = indexes["u16"]
    index = InfiniGram(path)
    engine = index.engine()
    for _ in range(40):
        doc = docs[rng.integers(len(docs))]
        start = rng.integers(len(doc))
        query = [int(i) for i in doc[start : start + rng.integers(1, 4)]]
        if docs[-1][-len(query) :] == query:
            continue  # the engine may answer 100 % end of document when the file ends so
        answer = engine.ntd(prompt_ids=query)
        ids = {k: v["cont_cnt"] for k, v in answer["result_by_token_id"].items() if k < 600}
        ids.pop(0, None)  # where the engine counts the ends of documents
        found = brute(docs, query)
        found.pop(0, None)
        assert not answer["approx"]
        assert ids == found
        assert index.count(query) == brute(docs, query).total()


def test_large_counts_stay_exact(tmp_path):
    """Known error: beyond ``max_support`` the package's engine only samples."""
    docs = [[1, i % 7] * 30 for i in range(100)]
    path = build(tmp_path, docs, number_tokenizer(10))
    index = InfiniGram(path)
    engine = index.engine().ntd(prompt_ids=[1], max_support=100)
    assert engine["approx"]
    ids, counts = index.followers(index.longest([1]))
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == brute(docs, [1])


def test_passages_show_the_match_in_its_document(indexes):
    docs, path = indexes["u16"]
    index = InfiniGram(path)
    query = docs[3][70:75]
    passages = index.passages(index.longest(query), around=9)
    assert passages
    for passage in passages:
        doc = docs[passage.document]
        assert doc[passage.position - len(query) : passage.position] == query
        assert passage.tokens[passage.focus] == doc[passage.position]
        begin = passage.position - passage.focus
        assert passage.tokens.tolist() == doc[begin : passage.position + 10]


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
)
def test_bad_corpora_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        build_index([tmp_path / name], number_tokenizer(9), tmp_path / "out", progress=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]  # nothing half-made is left


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


def test_ids_beyond_the_vocabulary_are_refused(indexes):
    """Known error: 16-bit ids wrapped silently (65,536 + 5 became 5)."""
    index = InfiniGram(indexes["u16"][1])
    with pytest.raises(InputError, match="position 1"):
        index.longest([1, 65_541])
    docs, path = indexes["u32"]
    assert max(max(d) for d in docs) > 65_535
    assert InfiniGram(path).count([docs[0][0]]) == brute(docs, [docs[0][0]]).total()


@pytest.mark.shared
def test_on_real_text_index_and_induction_agree(shared, tmp_path):
    """A real talk: at several cuts, its own index, exact induction and brute force agree."""
    from gim.corpus import read_documents
    from gim.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(shared / "tokenizers/gpt2")
    document = next(read_documents([shared / "corpora/ted.dev.jsonl.xz"]))
    ids = tokenizer.encode(document.text)[:1801].tolist()
    plain = number_tokenizer(tokenizer.vocab_size)
    for cut in (700, 1801):
        context = ids[:cut]
        index = InfiniGram(build(tmp_path, [context], plain, f"cut{cut}"))
        induction = ExactInduction()
        induction.extend(context)
        length, expected = brute_longest([context], context)
        assert index.longest(context).length == induction.suffix_len == length
        for found in (index.followers(index.longest(context)), induction.counts()):
            assert dict(zip(*(a.tolist() for a in found), strict=True)) == expected
