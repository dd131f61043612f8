"""Eng1000: the builder against a brute-force count, and its file."""

import json
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import zscore

from pipeline.core.errors import ProblemError
from pipeline.embedding.eng1000 import Eng1000, _cooccurrences, _normalise, build, read_basis

VOCAB = ["a", "b", "c", "never"]
BASIS = ["b", "d", "absent"]  # d is a basis word that is not in the vocabulary


def write_corpus(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"title": "", "text": text}) + "\n" for text in texts))
    return path


def write_basis(path: Path, *words: str) -> Path:
    path.write_text("\n".join(words) + "\n")
    return path


def brute_force(texts: list[list[str]], window: int) -> np.ndarray:
    counts = np.zeros((len(BASIS), len(VOCAB)), dtype=int)
    for words in texts:
        for i, basis in enumerate(words):
            for j, word in enumerate(words):
                if basis in BASIS and word in VOCAB and 0 < abs(i - j) <= window:
                    counts[BASIS.index(basis), VOCAB.index(word)] += 1
    return counts


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(st.lists(st.sampled_from("abcdxy"), max_size=12), min_size=1, max_size=5),
    window=st.integers(1, 5),
)
def test_counts_equal_brute_force(tmp_path, texts, window):
    corpus = write_corpus(tmp_path / "corpus.jsonl", *map(" ".join, texts))
    counts = _cooccurrences([corpus], VOCAB, BASIS, window)
    np.testing.assert_array_equal(counts, brute_force(texts, window))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a x x b"], 0),  # unknown words keep their place
        (["a x b"], 1),
        (["a 12 34 b"], 0),  # as numbers do
        (["b x a"], 1),  # symmetric
        (["a", "b"], 0),  # not across documents
        (["b a b a b"], 4),  # each a has two at a distance of 1; those at 3 are too far
    ],
)
def test_window(tmp_path, texts, expected):
    corpus = write_corpus(tmp_path / "corpus.jsonl", *texts)
    counts = _cooccurrences([corpus], ["a"], ["b"], 2)
    assert counts.item() == expected


def test_a_word_is_not_its_own_neighbour(tmp_path):
    corpus = write_corpus(tmp_path / "corpus.jsonl", "b", "b x b")
    assert _cooccurrences([corpus], ["b"], ["b"], 15).item() == 2


def test_two_zscores_in_their_order():
    counts = np.random.default_rng(0).poisson(3, size=(6, 40))
    expected = zscore(zscore(np.log1p(counts), axis=1), axis=0)
    other_order = zscore(zscore(np.log1p(counts), axis=0), axis=1)
    np.testing.assert_allclose(_normalise(counts), expected, atol=1e-12)
    assert np.abs(other_order - expected).max() > 0.1


def test_what_has_no_variance_is_zero():
    counts = np.random.default_rng(1).poisson(3, size=(5, 30)) + 1
    counts[2] = 7  # a basis word that is near every word equally often
    normalised = _normalise(counts)
    varied = zscore(np.log1p(counts[[0, 1, 3, 4]]), axis=1)
    expected = zscore(np.insert(varied, 2, 0, axis=0), axis=0)
    np.testing.assert_allclose(normalised, expected, atol=1e-12)


def test_rounding_is_not_variance():
    # rows of two values with one pattern: equal after the first z-score, but for rounding
    pattern = np.random.default_rng(3).random(50) < 0.4
    counts = np.where(pattern, np.arange(2, 10)[:, None], 1)
    np.testing.assert_array_equal(_normalise(counts), 0)


def test_words_without_counts_are_zero_and_change_nothing():
    counts = np.random.default_rng(2).poisson(3, size=(5, 30)) + 1
    with_unseen = np.insert(counts, [0, 10], 0, axis=1)
    normalised = _normalise(with_unseen)
    np.testing.assert_array_equal(normalised[:, [0, 11]], 0)
    np.testing.assert_array_equal(np.delete(normalised, [0, 11], axis=1), _normalise(counts))


def test_build_end_to_end(tmp_path):
    texts = [
        "The cat -- the CAT -- sat.",
        "A dog; the cat\u2019s dog, sat 2 times: 2",
        "Zebras sat!",
    ]
    corpus = write_corpus(tmp_path / "corpus.jsonl", *texts)
    basis = write_basis(tmp_path / "basis.txt", "Sat", "", "dog")
    built = build([corpus], ["Zebras", "okapi", "the"], basis_words=basis, vocabulary=3)
    assert built.vocab == ["sat", "the", "cat", "okapi", "zebras"]  # cat before dog: a tie
    assert built.basis == ["sat", "dog"]
    counts = np.array([[0, 3, 2, 0, 1], [2, 2, 0, 0, 0]])
    np.testing.assert_allclose(built.data, _normalise(counts), atol=1e-6)
    assert built.data.dtype == np.float32


def test_vocabulary_ties_do_not_depend_on_the_order_of_the_text(tmp_path):
    one = write_corpus(tmp_path / "one.jsonl", "delta alpha charlie bravo")
    two = write_corpus(tmp_path / "two.jsonl", "bravo charlie alpha delta")
    vocabs = [build([path], vocabulary=2).vocab for path in (one, two)]
    assert vocabs == [["alpha", "bravo"]] * 2


def test_default_basis_is_frequent_content_words(tmp_path):
    text = "the the the s s s don't don't 7 7 7 boat boat boat river river tree"
    corpus = write_corpus(tmp_path / "corpus.jsonl", text)
    assert build([corpus], n_basis=2).basis == ["boat", "river"]


def test_progress_counts_documents(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "corpus.jsonl", *["boat river"] * 5)
    with caplog.at_level("INFO"):
        build([corpus])
    assert "Eng1000: co-occurrences, documents: 5, done" in caplog.text


def test_save_and_load(tmp_path):
    built = Eng1000(
        np.arange(6, dtype=np.float32).reshape(2, 3), ["i", "café", "don't"], ["b", "d"]
    )
    path = tmp_path / "folder" / "eng1000.hf5"
    built.save(path)
    loaded = Eng1000.load(path)
    np.testing.assert_array_equal(loaded.data, built.data)
    assert (loaded.vocab, loaded.basis) == (built.vocab, built.basis)
    with h5py.File(path) as file:
        assert file["data"].dtype == np.float32
        assert file["vocab"].dtype.kind == "S"
    assert [entry.name for entry in path.parent.iterdir()] == ["eng1000.hf5"]


def test_load_the_released_layout(tmp_path):
    path = tmp_path / "english1000sm.hf5"
    with h5py.File(path, "w") as file:
        file["data"] = np.eye(2, 3)  # float64, and no basis words
        file["vocab"] = np.array([b"the", b"I", b"boat"])
    loaded = Eng1000.load(path)
    assert loaded.data.dtype == np.float32
    assert loaded.basis is None
    np.testing.assert_array_equal(loaded.vectors(["i", "THE"]), [[0, 1], [1, 0]])


def test_vectors_and_known_words():
    data = np.array([[1, 2, 3, 0], [4, 5, 6, 0]], dtype=np.float32)
    embedding = Eng1000(data, ["the", "don't", "boat", "lone"])
    vectors = embedding.vectors(["Boat", "unknown", "don\u2019t", "THE", "boat"])
    np.testing.assert_array_equal(vectors, [[3, 6], [0, 0], [2, 5], [1, 4], [3, 6]])
    assert vectors.dtype == np.float32
    assert embedding.vectors([]).shape == (0, 2)
    known = embedding.known(["Boat", "unknown", "don\u2019t", "lone"])
    assert known.tolist() == [True, False, True, False]  # lone has a vector of zeros
    assert embedding.known([]).shape == (0,)
    np.testing.assert_array_equal(data[:, :3], [[1, 2, 3], [4, 5, 6]])  # unknown ones zero a copy


WORDS = np.array([b"a", b"b", b"c"])
FAULTY = {
    "no data": ({"vocab": WORDS}, "[data]"),
    "no vocab": ({"data": np.ones((2, 3))}, "[vocab]"),
    "data is flat": ({"data": np.ones(3), "vocab": WORDS}, "[data]"),
    "data is empty": ({"data": np.ones((0, 3)), "vocab": WORDS}, "[data]"),
    "data is text": ({"data": np.full((2, 3), b"x"), "vocab": WORDS}, "[data]"),
    "data has NaN": ({"data": np.full((2, 3), np.nan), "vocab": WORDS}, "[data]"),
    "transposed": ({"data": np.ones((3, 2)), "vocab": WORDS}, "[vocab]"),
    "vocab of numbers": ({"data": np.ones((2, 3)), "vocab": np.arange(3)}, "[vocab]"),
    "vocab is one word": ({"data": np.ones((2, 3)), "vocab": b"a"}, "[vocab]"),
    "basis too long": ({"data": np.ones((2, 3)), "vocab": WORDS, "basis": WORDS}, "[basis]"),
}


@pytest.mark.parametrize(("content", "place"), FAULTY.values(), ids=FAULTY)
def test_faulty_embedding(tmp_path, content, place):
    path = tmp_path / "eng1000.hf5"
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            file[key] = value
    with pytest.raises(ProblemError) as error:
        Eng1000.load(path)
    assert f"{path} {place}" in str(error.value)


def test_embedding_that_was_not_fetched(tmp_path):
    pointer = tmp_path / "pointer.hf5"
    pointer.write_text("/annex/objects/MD5E-s41--0123.hf5\n")
    dangling = tmp_path / "dangling.hf5"
    dangling.symlink_to(tmp_path / ".git" / "annex" / "objects" / "MD5E-s41--0123.hf5")
    for path, what in [(pointer, "not a readable HDF5 file"), (dangling, "no such file")]:
        with pytest.raises(ProblemError, match=f"{what}.*datalad get"):
            Eng1000.load(path)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"boat\nBoat\n", b"\xff\xfe\x00"])
def test_faulty_basis_words(tmp_path, content):
    path = tmp_path / "basis.txt"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=r"basis\.txt"):
        read_basis(path)
    with pytest.raises(ProblemError, match="missing"):
        read_basis(tmp_path / "missing.txt")


def test_all_missing_corpora_are_named(tmp_path):
    corpus = write_corpus(tmp_path / "corpus.jsonl", "boat river")
    with pytest.raises(ProblemError) as error:
        build([tmp_path / "one.jsonl", corpus, tmp_path / "two.jsonl"])
    assert [Path(problem.file).name for problem in error.value.problems] == [
        "one.jsonl",
        "two.jsonl",
    ]


@pytest.mark.parametrize("texts", [[""], ["... 12 3"]])
def test_corpora_without_words(tmp_path, texts):
    corpus = write_corpus(tmp_path / "corpus.jsonl", *texts)
    for corpora in ([], [corpus]):
        with pytest.raises(ProblemError, match="no words"):
            build(corpora, ["boat"])


@pytest.mark.shared
def test_real_text_gives_a_sane_embedding(shared):
    pairs = [("king", "queen"), ("mother", "father"), ("monday", "tuesday"), ("war", "army")]
    pairs += [("football", "game"), ("ship", "sea"), ("north", "south"), ("seven", "eight")]
    words = [word for pair in pairs for word in pair]
    built = build(
        [shared / "corpora" / "wikipedia.dev.jsonl.xz"],
        [*words, "qwertyuiop"],
        basis_words=shared / "reference" / "eng1000_basis_words.txt",
    )
    assert built.data.shape[0] == 985
    assert len(built.vocab) >= 10_000
    counts = Counter(built.vocab)
    assert max(counts.values()) == 1
    vectors = built.vectors(words)
    similarity = np.corrcoef(vectors)
    partners = similarity[::2, 1::2].diagonal()
    others = (similarity[::2].sum(axis=1) - 1 - partners) / (len(words) - 2)
    assert (partners > others + 0.05).all()
    assert not built.vectors(["qwertyuiop"]).any()
    assert np.allclose(vectors.mean(axis=1), 0, atol=1e-5)
    assert np.allclose(vectors.std(axis=1), 1, atol=1e-4)
