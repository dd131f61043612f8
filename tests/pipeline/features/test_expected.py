"""What the model that weighs expects: against its own distributions, a word at a time."""

import numpy as np
import pytest

from gim.text.words import tokens_of_words
from gim.weighing.reading import read_words
from pipeline.embedding.eng1000 import Eng1000
from pipeline.embedding.expectation import OPTIONS, expectations, load_weighing
from pipeline.features import expected, induction
from tests.helpers.stories import story

WORDS = ["it", "was", "the", "best", "of", "times", "we", "went", "to", "zyzzyvas", "it", "was"]
BATCH = 256  # words summed at a time
VOCAB = ["the", "it", "was", "of", "best", "xylophonist"]


@pytest.fixture(scope="module")
def options(language, tmp_path_factory):
    root = tmp_path_factory.mktemp("space")
    vectors = np.random.default_rng(0).normal(size=(4, len(VOCAB))).astype(np.float32)
    Eng1000(vectors, VOCAB, list("abcd")).save(root / "space.hf5")
    own = {"encoder": language["gim"]["encoder"], "index": language["infinigram"]["index"]}
    return {**expected.KIND.options, **own, "eng1000": str(root / "space.hf5")}


def test_against_the_distribution_before_every_word(options, monkeypatch):
    monkeypatch.setattr("pipeline.embedding.expectation.BATCH", BATCH)
    model, space = load_weighing(options), expected.lexicon(options)
    words = (WORDS * (BATCH // 12 + 2))[: BATCH + 3]  # more than one batch
    found = expectations(model, words, space)
    same = read_words(model, words)
    np.testing.assert_allclose(found.surprisal, same.surprisal, rtol=1e-5)
    np.testing.assert_allclose(found.entropy, same.entropy, rtol=1e-5)
    np.testing.assert_allclose(found.shares, same.shares, rtol=1e-5)
    ids, last = tokens_of_words(model.tokenizer, words)
    spelt = [token.decode(errors="replace").lower() for token in model.tokenizer.table]
    single = [(t, text[1:]) for t, text in enumerate(spelt) if text in {f" {w}" for w in VOCAB}]
    assert {word for _, word in single} == set(VOCAB) - {"xylophonist"}  # many tokens long
    vectors = space.vectors(word for _, word in single)
    for i in (1, 2, 9, BATCH - 1, BATCH, BATCH + 2):
        stream = model.stream()
        stream.extend(ids[: last[i - 1] + 1])
        p = stream.distribution()[[token for token, _ in single]]
        np.testing.assert_allclose(found.meaning[i], p @ vectors / p.sum(), rtol=1e-4)


def test_parts_and_their_names(options):
    s = story(WORDS * 10, n_rows=30)
    own = options | {"parts": ["error", "sources", "surprisal"]}
    names = expected.KIND.columns(own)
    assert expected.compute(s, own).shape == (30, len(names))
    assert names[:2] == ["a, error", "b, error"]
    assert names[4:6] == ["share of ngrams", "share of longest"]
    assert names[-1] == "distance of what came"


def test_the_error_is_what_came_minus_what_was_expected(options):
    space = expected.lexicon(options)
    vectors, known = space.vectors(WORDS), space.known(WORDS)
    reading = expectations(load_weighing(options), WORDS, space)
    found = expected.parts(reading, vectors, known)
    for i, word in enumerate(WORDS):
        error = found["error"][i]
        if word not in VOCAB:
            assert not error.any()
            continue
        np.testing.assert_allclose(error + found["expected"][i], vectors[i], atol=1e-5)
        a, b = vectors[i], found["expected"][i]
        distance = 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert found["surprisal"][i, 2] == pytest.approx(distance, abs=1e-5)


def test_induction_takes_its_surprisal_from_it_unless_told_otherwise(options, language):
    s, own = story(WORDS * 10, n_rows=30), {**induction.KIND.options, "downsample": "sum"}
    own |= {name: options[name] for name in OPTIONS}
    plain = induction.compute(s, own | {"weighted": False})
    weighed = induction.compute(s, own)
    names = induction.names(own)
    assert weighed.shape == (30, len(names))
    same = [i for i, n in enumerate(names[: plain.shape[1]]) if n not in ("surprisal", "entropy")]
    np.testing.assert_array_equal(weighed[:, same], plain[:, same])
    reading = expectations(load_weighing(options), s.words["word"].tolist())
    np.testing.assert_allclose(
        weighed[:, [0, 1]],
        s.to_rows(np.stack([reading.surprisal, reading.entropy], axis=1), "sum"),
    )
    shares, n_words = weighed[:, plain.shape[1] :].sum(axis=1), weighed[:, names.index("words")]
    np.testing.assert_allclose(shares, n_words, rtol=1e-5)


def test_a_space_of_longer_words_expects_nothing(options):
    space = Eng1000(np.ones((4, 1), np.float32), ["xylophonist"])
    found = expectations(load_weighing(options), WORDS, space)
    assert found.meaning.shape == (len(WORDS), 4) and not found.meaning.any()


def test_an_empty_text_expects_nothing(options):
    found = expectations(load_weighing(options), [], expected.lexicon(options))
    assert found.surprisal.shape == (0,)
    assert found.meaning.shape == (0, 4)
