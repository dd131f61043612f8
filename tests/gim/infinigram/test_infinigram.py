"""Queries against brute force, exact induction and the package's engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.errors import InputError
from gim.induction.exact import ExactInduction
from gim.infinigram.index import describe_index
from gim.infinigram.query import InfiniGram
from gim.scores import rank
from tests.gim.conftest import number_tokenizer
from tests.helpers.indexing import VOCABULARY, brute, brute_longest, build


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


@pytest.mark.parametrize("dtype", ["u16", "u32"])
def test_documents_are_those_that_were_indexed(indexes, dtype):
    docs, path = indexes[dtype]
    assert [own.tolist() for own in InfiniGram(path).documents()] == docs


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


DOCUMENTS = [[1, 2, 1, 2, 1, 2, 29], [29, 29, 29], [5], [1, 2, 3, 1, 2], [7, 1, 2, 1]]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return build(tmp_path_factory.mktemp("small"), DOCUMENTS, number_tokenizer(30))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 5, 7, 29]), max_size=30),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_a_whole_text_is_looked_up_as_single_queries_are(small, ids, window):
    """The range of one step is searched for the next; an index that was just opened as well."""
    index, targets = InfiniGram(small), np.array([*ids[1:], 29][: len(ids)], np.int64)
    whole = index.score(ids, targets, window)
    for t in range(len(ids)):
        context = ids[max(0, t + 1 - window) if window else 0 : t + 1]
        length, found = brute_longest(DOCUMENTS, context)
        match = InfiniGram(small).longest(context)
        assert whole.suffix_len[t] == match.length == length
        assert index.longest(context) == match
        assert dict(zip(*(a.tolist() for a in index.followers(match)), strict=True)) == found
        top, p, greater, equal = rank(*index.followers(match), int(targets[t]))
        assert (whole.top[t], whole.greater[t], whole.equal[t]) == (top, greater, equal)
        assert whole.p_next[t] == pytest.approx(p)


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
    from gim.text.corpus import read_documents
    from gim.text.tokenizer import load_tokenizer

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
