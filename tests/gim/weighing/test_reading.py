"""A text word by word: surprisals of tokens add up to those of words, sources to one."""

import numpy as np
import pytest

from gim.text.tokenizer import load_tokenizer
from gim.text.words import tokens_of_words
from gim.weighing.model import WeightedGIM
from gim.weighing.reading import read_words

CLAUSE = ["the", "cat", "unbelievably", "sat", "on", "the", "mat"]
WORDS = [*CLAUSE, "and", *CLAUSE]


def test_words_are_the_sum_of_their_tokens():
    model = WeightedGIM(load_tokenizer())
    found = read_words(model, WORDS)
    ids, last = tokens_of_words(model.tokenizer, WORDS)
    scores, _ = model.score(ids[:-1], ids[1:])
    nats = -np.log(np.append(1 / model.tokenizer.vocab_size, scores.p_next))
    wanted = [part.sum() for part in np.split(nats, last[:-1] + 1)]
    assert found.surprisal == pytest.approx(wanted)
    assert found.shares.sum(1) == pytest.approx(np.ones(len(WORDS)))
    assert found.vocabulary == ["the", "cat", "unbelievably", "sat", "on", "mat", "and"]
    assert found.begins.shape == (15, 7) and (found.begins > 0).all()
    assert found.entropy[0] == pytest.approx(np.log(model.tokenizer.vocab_size))
    assert found.expected[-1] == "mat"
    assert found.surprisal[8:].mean() < found.surprisal[:8].mean() - 2
