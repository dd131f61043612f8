"""Readers of other formats than ds003020's: what they read, and what they say of bad files."""

import re

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import ProblemError
from pipeline.readers.formats import open_responses, read_transcript, shape_of
from tests.helpers.datasets import long_textgrid, short_textgrid


def fault(call):
    """The only problem that a call ends with."""
    with pytest.raises(ProblemError) as caught:
        call()
    (problem,) = caught.value.problems
    assert problem.remedy
    return problem


def lines(*rows, separator=","):
    return "".join(separator.join(row) + "\n" for row in rows)


@pytest.fixture
def save(tmp_path):
    def write(name, content, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def test_a_table_of_words(save):
    rows = [("word", "onset", "offset"), ("Once", "0.5", "0.75"), ("a", "0.75", "1.5")]
    for name, separator in (("s.csv", ","), ("s.tsv", "\t"), ("S.TSV", "\t")):
        words = read_transcript(save(name, lines(*rows, separator=separator)), {})
        assert words["word"].tolist() == ["once", "a"]
        assert words["onset"].tolist() == [0.5, 0.75]
        assert words["offset"].tolist() == [0.75, 1.5]


def test_bids_events_with_other_rows_and_columns(save):
    text = lines(
        ("onset", "duration", "trial_type", "value"),
        ("12.0", "0.5", "word", '"Hello"'),
        ("12.5", "n/a", "word", "null"),  # a word, like none and nan
        ("13.0", "0.1", "button", "left"),
        ("14.0", "0.5", "word", "n/a"),
        ("15.0", "0.25", "word", "{LG}"),
        ("16.0", "0.25", "word", "nan"),
        separator="\t",
    )
    options = {"columns": {"word": "value"}, "where": {"trial_type": "word"}, "start": 12.0}
    words = read_transcript(save("sub-1_task-a_events.tsv", text), options)
    assert words["word"].tolist() == ["hello", "null", "nan"]
    assert words["onset"].tolist() == [0.0, 0.5, 4.0]
    assert words["offset"].tolist() == [0.5, 0.5, 4.25]


def test_words_of_other_languages(save):
    words = ["¿Qué", "l\u2019été", "STRASSE", "«Привет»", "שלום", "e\u0301te\u0301", "。"]
    text = lines(("word", "onset"), *((w, str(i)) for i, w in enumerate(words)))
    read = read_transcript(save("s.csv", text), {})["word"].tolist()
    assert read == ["qué", "l'été", "strasse", "привет", "שלום", "\u00e9t\u00e9"]


@pytest.mark.parametrize("encoding", ["latin-1", "mac_roman", "utf-16-le"])
@pytest.mark.parametrize("suffix", ["csv", "TextGrid"])
def test_named_encodings(save, suffix, encoding):
    text = {
        "csv": lines(("word", "onset"), ("été", "0")),
        "TextGrid": long_textgrid({"word": [(0, 1, "été")]}),
    }[suffix]
    path = save(f"s.{suffix}", text, encoding)
    assert read_transcript(path, {"encoding": encoding})["word"].tolist() == ["été"]
    if encoding != "mac_roman" or suffix == "TextGrid":
        assert "encoding" in fault(lambda: read_transcript(path, {})).remedy


@pytest.mark.parametrize("write", [long_textgrid, short_textgrid])
def test_a_textgrid_cut_out_of_a_longer_one(save, write):
    """Praat keeps the times when told to: xmin says when the sound starts."""
    text = write({"Mary": [(100.5, 101.0, "so"), (101.0, 101.5, "far")]})
    text = text.replace("xmin = 0 ", "xmin = 100.5 ").replace("\n0\n", "\n100.5\n")
    path = save("s.TextGrid", text)
    assert read_transcript(path, {"start": "xmin"})["onset"].tolist() == [0.0, 0.5]
    assert read_transcript(path, {"start": 100})["onset"].tolist() == [0.5, 1.0]
    assert read_transcript(path, {})["onset"].tolist() == [100.5, 101.0]


@pytest.mark.parametrize("write", [long_textgrid, short_textgrid])
def test_times_with_exponents(save, write):
    text = write({"word": [(0.5, 2.5, "so"), (2.5, 3.0, "far")]})
    text = re.sub(r"(?<![\d.])0\.5(?![\d.])", "5e-1", text)
    text = re.sub(r"(?<![\d.])2\.5(?![\d.])", "2.5E+0", text)
    assert "5e-1" in text and "2.5E+0" in text
    words = read_transcript(save("s.TextGrid", text), {})
    assert words["onset"].tolist() == [0.5, 2.5]
    assert words["offset"].tolist() == [2.5, 3.0]


def test_the_tier_of_words_by_name(save):
    tiers = {"ORT-MAU": [(0, 1, "yes")], "KAN-MAU": [(0, 1, "jEs")], "MAU": [(0, 1, "j")]}
    path = save("s.TextGrid", long_textgrid(tiers))
    assert "no word tier" in fault(lambda: read_transcript(path, {})).what
    assert read_transcript(path, {"tier": "ORT-MAU"})["word"].tolist() == ["yes"]
    assert "'ORT'" in fault(lambda: read_transcript(path, {"tier": "ORT"})).what


def test_two_speakers_are_ambiguous(save):
    tiers = {"A - words": [(0, 1, "yes")], "B - words": [(1, 2, "no")]}
    path = save("s.TextGrid", long_textgrid(tiers))
    assert "several tiers" in fault(lambda: read_transcript(path, {})).what
    assert read_transcript(path, {"tier": "B - words"})["word"].tolist() == ["no"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("word,onset\na,0\nb,x\n", "no numbers"),
        ("word,onset\na,0\nb,\n", "no numbers"),
        ("word,onset,offset\na,1,0.5\n", "ends before"),
        ("word,onset,duration\na,1,-2\n", "ends before"),
        ("word;onset\na;0\n", "no column"),
        ("text,onset\na,0\n", "no column 'word', only 'text', 'onset'"),
        ("word,onset,word\na,0,b\n", "named twice"),
        ("word,onset\na,0,1\n", "not a table"),
        ("word,onset\n", "no row"),
        ("word,onset\n.,0\n", "no words"),
        ('word,onset\n"a,0\nb,1\n', "not a table"),
        (b"word,onset\n\xff\xfe,0\n", "not decodable"),
        ("", "empty"),
        ("../.git/annex/objects/ab/MD5E-s12--a.csv", "pointer"),
    ],
    ids=["letters", "empty-time", "reversed", "negative", "semicolons", "column", "twice",
         "ragged", "header-only", "no-words", "quote", "bytes", "empty", "pointer"],
)  # fmt: skip
def test_faults_of_a_table_of_words(save, content, what):
    assert what in fault(lambda: read_transcript(save("s.csv", content), {})).what


def test_a_table_does_not_say_where_its_clock_begins(save):
    path = save("s.csv", "word,onset\na,0\n")
    assert "transcripts.start" in fault(lambda: read_transcript(path, {"start": "xmin"})).place


def test_unknown_formats(save):
    assert ".textgrid" in fault(lambda: read_transcript(save("s.eaf", "x"), {})).remedy
    with pytest.raises(ProblemError, match="no reader"):
        open_responses(save("s.mat", "x"), {})


def test_a_table_of_regions(save, tmp_path):
    values = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    table = pd.DataFrame(values, columns=["V1", "A1", "STG"])
    table.to_csv(tmp_path / "r.csv", index=False)
    table.to_csv(tmp_path / "r.tsv", index=False, sep="\t")
    for name in ("r.csv", "r.tsv"):
        with open_responses(tmp_path / name, {}) as read:
            np.testing.assert_allclose(read, values, rtol=1e-6)
    with open_responses(tmp_path / "r.csv", {"columns": ["STG", "V1"]}) as read:
        np.testing.assert_allclose(read, values[:, [2, 0]], rtol=1e-6)
    assert shape_of(tmp_path / "r.csv", {"columns": ["STG"]}) == (5, 1)


@pytest.mark.parametrize("role", ["offset", "duration"])
def test_a_column_that_is_named_must_be_there(save, role):
    path = save("s.csv", "word,onset,end\na,0,1\n")
    columns = {"word": "word", "onset": "onset", "offset": "offset", "duration": "duration"}
    read_transcript(path, {"columns": columns})  # as a complete configuration has them
    problem = fault(lambda: read_transcript(path, {"columns": columns | {role: "stop"}}))
    assert "no column 'stop'" in problem.what
    assert "transcripts.columns" in problem.remedy


def timed(onset, offset):
    """A table of as many words."""
    rows = [
        (f"w{i}", f"{a:.4f}", f"{b:.4f}")
        for i, (a, b) in enumerate(zip(onset, offset, strict=True))
    ]
    return lines(("word", "onset", "offset"), *rows)


@pytest.mark.parametrize("marker", ["SIL", "sil", "[SIL]", "<Sil>", " sil "])
@pytest.mark.parametrize("label", ["SIL", "sil", "Sil?", "[SIL]", "sil]"])
def test_markers_are_one_whatever_their_case_and_brackets(save, marker, label):
    path = save("s.csv", lines(("word", "onset"), ("so", "0"), (label, "1"), ("silly", "2")))
    grid = save(
        "s.TextGrid", long_textgrid({"word": [(0, 1, "so"), (1, 2, label), (2, 3, "silly")]})
    )
    for each in (path, grid):
        assert read_transcript(each, {"markers": [marker]})["word"].tolist() == ["so", "silly"]


def test_markers_are_one_however_their_accents_are_composed(save):
    path = save("s.csv", lines(("word", "onset"), ("so", "0"), ("re\u0301pe\u0301tition", "1")))
    options = {"markers": ["r\u00e9p\u00e9tition"]}
    assert read_transcript(path, options)["word"].tolist() == ["so"]
    path = save("s.csv", lines(("word", "onset"), ("so", "0"), ("r\u00e9p", "1")))
    assert read_transcript(path, {"markers": ["re\u0301p"]})["word"].tolist() == ["so"]


@pytest.mark.parametrize(
    ("asked", "cells", "told"),
    [
        ("word", ["word", "word ", "Word", "word"], ["2 rows hold 'word'", "'word ' (1 rows)"]),
        ("word", ["words", "words", "n/a", "x"], ["0 rows hold 'word'", "'words' (2 rows)"]),
        (1, ["01", "01", "02", "02"], ["0 rows hold '1'", "'01' (2 rows)", "'02' (2 rows)"]),
        (1, ["1.0", "1", "1", "2"], ["2 rows hold '1'", "'1.0' (1 rows)"]),
    ],
    ids=["spelling", "none", "zeros", "number"],
)
def test_rows_that_where_leaves_out_by_their_spelling(save, asked, cells, told):
    rows = [(f"w{i}", str(i), cell) for i, cell in enumerate(cells)]
    path = save("s.csv", lines(("word", "onset", "kind"), *rows))
    problem = fault(lambda: read_transcript(path, {"where": {"kind": asked}}))
    assert "transcripts.where" in problem.place
    assert "transcripts.where" in problem.remedy
    assert all(words in problem.what for words in told)


def test_rows_that_where_leaves_out_rightly(save):
    rows = [("so", "0", "word", "01"), ("left", "1", "button", "01"), ("far", "2", "word", "02")]
    path = save("s.csv", lines(("word", "onset", "kind", "run"), *rows))
    options = {"where": {"kind": "word", "run": "01"}}
    assert read_transcript(path, options)["word"].tolist() == ["so"]


STARTS = 0.4 * np.arange(40)


@pytest.mark.parametrize(
    ("offset", "what", "place", "remedy"),
    [
        (STARTS + 250, "250 s in the median", "line 2, 'w0'", "likely milliseconds"),
        (STARTS + 0.25 / 60, "0.0042 s in the median", "line 2, 'w0'", "likely minutes"),
        (np.r_[STARTS[:-1] + 0.3, 300], "lasts 284 s", "line 41, 'w39'", "where it ends"),
        (STARTS + 3.2, "words overlap: 6.8 are", "line 2, 'w0'", "Gentle"),
        (5.0 * np.arange(1, 41), "in the median", "line 3, 'w1'", "places in the text"),
    ],
    ids=["milliseconds", "minutes", "stretched", "overlaps", "characters"],
)
def test_words_that_last_as_long_as_none_do(save, offset, what, place, remedy):
    problem = fault(lambda: read_transcript(save("s.csv", timed(STARTS, offset)), {}))
    assert what in problem.what
    assert place in problem.place
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "offset",
    [STARTS, STARTS + 0.02, STARTS + 1.0, np.r_[STARTS[:-1] + 0.3, 40]],
    ids=["none", "short", "overlapping", "long"],
)
def test_words_that_last_as_long_as_some_do(save, offset):
    read = read_transcript(save("s.csv", timed(STARTS, offset)), {})
    np.testing.assert_allclose(read["offset"], offset, atol=1e-4)


def test_two_who_speak_at_once(save):
    starts = np.r_[STARTS, STARTS + 0.01]
    assert len(read_transcript(save("s.csv", timed(starts, starts + 0.39)), {})) == 80


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("TR,V1\n0,0.5\n1,0.25\n2,0.1\n", "counts the rows"),
        ("0.5,-1e-3\n0.2,1\n0.1,2\n", "the first line is numbers"),
        ("V1,A1\n0.5,left\n0.2,right\n", "'left' is no number (2 such cells)"),
        ("V1,A1\n0.5\n0.2,1\n0.2,1,3\n", "not a table"),
    ],
    ids=["counter", "no-names", "letters", "ragged"],
)
def test_faults_of_a_table_of_regions(save, content, what):
    def read():
        with open_responses(save("r.csv", content), {}):
            pass

    assert what in fault(read).what


CLOCKS = {
    "restarts": np.r_[0:20, 0:20],
    "censored": np.delete(2.0 * np.arange(41), 7),
    "jitter": 2 * np.arange(40) + np.random.default_rng(0).uniform(-0.9, 0.9, 40),
    "down": -2.0 * np.arange(40) ** 1.1,
}


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_a_clock_is_no_region_unless_named(save, clock):
    rows = [(f"{t:.3f}", f"{i % 3}") for i, t in enumerate(clock)]
    path = save("r.csv", lines(("when", "V1"), *rows))

    def read(**options):
        with open_responses(path, options) as values:
            return values

    assert "'when' counts the rows" in fault(read).what
    np.testing.assert_allclose(read(columns=["when", "V1"])[:, 0], clock, atol=1e-3)


def test_slow_regions_are_no_clocks(save):
    """BOLD is smooth: white noise under a window of some 8 s, and a drift."""
    noise = np.random.default_rng(0).standard_normal((124, 200))
    bold = sum(noise[i : 120 + i] for i in range(5)) + np.linspace(0, 3, 120)[:, None]
    rows = [[f"{value:.4f}" for value in row] for row in bold]
    path = save("r.csv", lines([f"r{i}" for i in range(200)], *rows))
    with open_responses(path, {}) as values:
        assert values.shape == (120, 200)
