"""Stories that a language model foretells far too well are told, and left out of `_clean` gains."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config.readings import Wanted
from pipeline.core.atomic import write_table
from pipeline.states.file import StatesFile
from pipeline.states.reading import Reading
from pipeline.tables.familiarity import (
    COLUMNS,
    familiar_training_stories,
    familiarity,
    familiarity_warnings,
)

BITS = {"a": 1.0, "b": 1.1, "c": 0.5, "d": 1.2, "e": 0.69}


@pytest.fixture
def table(tmp_path):
    origin = {"model": "data/m", "name": "M, expanded"}
    for key, told in (("near", True), ("mute", False)):
        with StatesFile.create(tmp_path / f"{key}.h5", [("last", 1, 2)], origin) as file:
            for story, bits in BITS.items():
                nats = np.full(4, bits * np.log(2) * 10 / 4 if told else np.nan)
                file.write(story, np.zeros((4, 2)), nats, 10)
    files = {key: tmp_path / f"{key}.h5" for key in ("near", "mute")}
    wanted = {key: Wanted(Reading("data/m", context=25), bands=["llm", "deep"]) for key in files}
    return familiarity(files, wanted, ["a", "b", "c"])


def test_every_story_has_its_bits_and_those_far_below_the_median_are_known(table):
    assert list(table) == COLUMNS and table["story"].tolist() == list(BITS)
    assert table["bits_per_byte"].tolist() == pytest.approx(list(BITS.values()), rel=1e-5)
    assert table["over_median"].tolist() == pytest.approx(list(BITS.values()), rel=1e-5)
    assert table["known"].tolist() == [False, False, True, False, True]
    assert table["part"].tolist() == ["train"] * 3 + ["test"] * 2
    assert set(table["bands"]) == {"llm+deep"} and set(table["context"]) == {"25"}


def test_what_is_known_is_warned_of_and_left_out(table, tmp_path):
    write_table(table, tmp_path / "familiarity.tsv")
    again = pd.read_csv(tmp_path / "familiarity.tsv", sep="\t")
    assert familiar_training_stories(again) == ["c"]
    first, second = familiarity_warnings(again, "familiarity.tsv")
    assert "[c]: M, expanded (llm+deep) foretells it at 0.50 bits a byte, 50% of" in first
    assert "[e]" in second
