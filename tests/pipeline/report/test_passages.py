"""The explorer shows the passages of other stories that a model's memory found for each TR."""

import pandas as pd

from pipeline.report.explorer import N_PASSAGES, N_SHOWN, _passages


def test_the_heaviest_passages_of_each_row_with_their_words():
    n = 8
    table = pd.DataFrame(
        {
            "tr": [2] * n,
            "passage_story": [f"s{k}" for k in range(n)],
            "weight": [1 / n] * (n - 2) + [1.5 / n, 0.5 / n],
            "words": ["a " * 20 + "cue"] * n,
            "followed": ["then " + "b " * 20] * n,
        }
    )
    found = _passages(table, 4)
    assert [len(row["best"]) for row in found] == [0, 0, N_PASSAGES, 0]
    story, weight, words, followed = found[2]["best"][0]
    assert story == "s6" and weight == round(1.5 / n, 4)
    assert words.endswith("cue") and followed.startswith("then")
    assert len(words.split()) == len(followed.split()) == N_SHOWN
    assert 7 < found[2]["effective"] < 8
