"""What the model that weighs expects: against its own distributions, a word at a time."""

import numpy as np
import pytest

from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.text.words import join_words, tokens_of_words
from gim.weighing.model import WeightedGIM
from gim.weighing.reading import read_words
from pipeline.embedding.eng1000 import Eng1000
from pipeline.embedding.expectation import OPTIONS, encoded, expectations, load_weighing
from pipeline.features import expected, induction
from pipeline.features.encoder import load_encoder
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


def test_with_states_at_hand_it_expects_the_same(options):
    model, space = load_weighing(options), expected.lexicon(options)
    of_tokens, of_words = encoded(model, WORDS)
    vectors = load_encoder(options["encoder"]).vectors(*join_words(WORDS))
    np.testing.assert_allclose(of_words, vectors, atol=1e-6)
    found, wanted = (expectations(model, WORDS, space, states) for states in (of_tokens, None))
    for name in ("surprisal", "entropy", "shares", "meaning"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-5)
    assert [part.shape for part in encoded(model, [])] == [(0, 8), (0, 8)]


def test_states_of_tokens_are_those_of_words_only_where_words_end_with_tokens(options):
    encoder, words = load_encoder(options["encoder"]), ["it", "was"]
    assert encoded(WeightedGIM(load_tokenizer()), words) is None
    for table in ([b"it was"], [b" it", b" was"]):  # two words in one; a space before the text
        ids = list(range(len(table)))
        tokenizer = Tokenizer("own", lambda text, ids=ids: ids, table)
        assert encoded(WeightedGIM(tokenizer, encoder=encoder), words) is None
        found, wanted = tokens_of_words(tokenizer, words)[1], [0, len(table) - 1]
        assert found.tolist() == wanted


def test_a_space_of_longer_words_expects_nothing(options):
    space = Eng1000(np.ones((4, 1), np.float32), ["xylophonist"])
    found = expectations(load_weighing(options), WORDS, space)
    assert found.meaning.shape == (len(WORDS), 4) and not found.meaning.any()


def test_an_empty_text_expects_nothing(options):
    found = expectations(load_weighing(options), [], expected.lexicon(options))
    assert found.surprisal.shape == (0,)
    assert found.meaning.shape == (0, 4)
