"""Words of TextGrids: every format and encoding that Praat writes, and every fault named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories
from pipeline.readers.entries import MAX_FAULTS
from pipeline.readers.textgrid import read_textgrid
from tests.helpers.datasets import WORDS, long_textgrid, short_textgrid, write_dataset

FORMATS = {"long": long_textgrid, "short": short_textgrid}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"]


def encode(text, encoding):
    if encoding == "utf-16-be-bom":
        return b"\xfe\xff" + text.encode("utf-16-be")
    return text.encode(encoding)


@pytest.fixture
def save(tmp_path):
    """Write text or bytes to a TextGrid; return its path."""

    def write(content, encoding="utf-8"):
        path = tmp_path / "story.TextGrid"
        path.write_bytes(content if isinstance(content, bytes) else encode(content, encoding))
        return path

    return write


def fault(path):
    """The only problem of a file, which it names with a remedy."""
    with pytest.raises(ProblemError) as caught:
        read_textgrid(path)
    (problem,) = caught.value.problems
    assert str(problem.file) == str(path)
    assert problem.remedy
    return problem


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("style", FORMATS)
def test_formats_and_encodings_give_the_same_words(save, style, encoding):
    intervals = [
        (0, 0.5, "Ångström"),
        (0.5, 0.75, ""),
        (0.75, 1.125, 'say ""hi""'),
        (2, 3, "don\u2019t"),
    ]
    path = save(FORMATS[style]({"phone": [(0, 3, "x")], "word": intervals}), encoding)
    words = read_textgrid(path)
    assert list(words.columns) == ["word", "onset", "offset"]
    assert words["word"].tolist() == ["ångström", 'say ""hi', "don't"]
    assert words["onset"].tolist() == [0, 0.75, 2]
    assert words["offset"].tolist() == [0.5, 1.125, 3]
    assert words[["onset", "offset"]].dtypes.eq("float64").all()


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize("style", FORMATS)
def test_line_ends_of_other_systems(save, style, newline):
    text = FORMATS[style]({"phone": [], "word": WORDS})
    path = save(text.replace("\n", newline))
    assert read_textgrid(path)["word"].tolist() == ["once", "upon"]


@pytest.mark.parametrize("style", FORMATS)
def test_last_word_is_kept_without_a_final_newline(save, style):
    path = save(FORMATS[style]({"phone": [], "word": [(0, 1, "the"), (1, 2, "end")]}).rstrip())
    assert read_textgrid(path)["word"].tolist() == ["the", "end"]


@pytest.mark.parametrize(
    "marker",
    ["sp", "SP", "sil", "br", "{LG}", "{BR}", "{NS}", "{ns]", "(br}", "{cg}", "{cg",
     "sentence_start", "sentence_end", "[noise]", "<s>", "(laughs)", "{two words}",
     "...", "-", ",", "?", "", " ", "{NS} {BR}"],
)  # fmt: skip
def test_markers_are_dropped(save, marker):
    path = save(long_textgrid({"word": [(0, 1, "a"), (1, 2, marker), (2, 3, "b")]}))
    assert read_textgrid(path)["word"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("label", "word"),
    [("f{NS}", "f"), ("so]", "so"), ("Ho!", "ho"), ("co-opted", "co-opted"), ("S.A.T.", "s.a.t."),
     (" Yes ", "yes"), ("'cause", "'cause"), ("7", "7")],
)  # fmt: skip
def test_words_are_cleaned(save, label, word):
    path = save(long_textgrid({"word": [(0, 1, label)]}))
    assert read_textgrid(path)["word"].tolist() == [word]


@pytest.mark.parametrize(
    "names", [("phone", "word"), ("words", "phones"), ("Word", "x"), ("x", "ORT words")]
)
def test_word_tier(save, names):
    """The tier named so, wherever it is."""
    chosen = next(n for n in names if "word" in n.lower())
    tiers = {name: [(0, 1, "yes" if name == chosen else "no")] for name in names}
    assert read_textgrid(save(long_textgrid(tiers)))["word"].tolist() == ["yes"]


@pytest.mark.parametrize("names", [("phone",), ("a", "swordfish", "b"), ("phones", "phonemes"), ()])
def test_no_word_tier(save, names):
    problem = fault(save(long_textgrid({name: [(0, 1, "a")] for name in names})))
    if names:
        assert "no word tier" in problem.what
        assert all(repr(name) in problem.place for name in names)


def test_point_tier_is_no_word_tier(save):
    text = long_textgrid({"word": []}).replace("IntervalTier", "TextTier")
    assert "no word tier" in fault(save(text.replace("intervals:", "points:"))).what


@pytest.mark.parametrize("intervals", [[], [(0, 1, "sp")]])
@pytest.mark.parametrize("style", FORMATS)
def test_tier_without_words(save, style, intervals):
    path = save(FORMATS[style]({"phone": [(0, 1, "a")], "word": intervals}))
    assert "no words" in fault(path).what


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize(
    ("intervals", "what", "place"),
    [
        ([(0, 1, "a"), (2, 1, "b"), (2, 3, "c")], "reversed", "interval 2, 2-1 s"),
        ([(0, 3, "a"), (2, 1, "b"), (3, 4, "c")], "reversed", "interval 2, 2-1 s"),
        ([(0, 1, "a"), (0.5, 2, "b")], "overlaps", "interval 2, 0.5-2 s"),
        ([(1, 2, "a"), (0, 1, "b")], "overlaps", "interval 2, 0-1 s"),
        ([(0, 9, ""), (0.5, 2, "b")], "overlaps", "interval 2"),
    ],
)
def test_bad_times(save, style, intervals, what, place):
    problem = fault(save(FORMATS[style]({"phone": [], "word": intervals})))
    assert what in problem.what
    assert f"tier 2 'word', {place}" in problem.place


def test_all_bad_intervals_are_named(save):
    intervals = [(0, 1, "a"), (3, 2, "b"), (3, 4, "c"), (3.5, 5, "d")]
    with pytest.raises(ProblemError) as caught:
        read_textgrid(save(long_textgrid({"phone": [], "word": intervals})))
    whats = [problem.what for problem in caught.value.problems]
    assert [("reversed" in what, "overlaps" in what) for what in whats] == [(1, 0), (0, 1)]
    many = [(i + 1, i, "x") for i in range(50)]
    with pytest.raises(ProblemError, match=f"{50 - MAX_FAULTS} more"):
        read_textgrid(save(long_textgrid({"phone": [], "word": many})))


def test_rounding_is_no_overlap(save):
    path = save(long_textgrid({"word": [(0, 1.00001, "a"), (1, 2, "b")]}))
    assert read_textgrid(path)["word"].tolist() == ["a", "b"]


@pytest.mark.parametrize("style", FORMATS)
def test_negative_time(save, style):
    """praatio drops the sign in the long format, which would misplace the word."""
    path = save(FORMATS[style]({"word": [("-0.5", 1, "a")]}))
    assert "negative time" in fault(path).what


def test_time_that_is_no_number(save):
    assert "no numbers" in fault(save(short_textgrid({"word": [("one", 2, "a")]}))).what
    problem = fault(save(long_textgrid({"word": [(0, 1, "a"), ("one", 2, "b"), (2, 3, "c")]})))
    assert problem.place.startswith("intervals [2]")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"/annex/objects/MD5E-s5--d41d8cd98f00b204e9800998ecf8427e.TextGrid\n", "pointer"),
        (b"../../.git/annex/objects/0Z/1p/MD5E-s5--d41d/MD5E-s5--d41d.TextGrid", "pointer"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n", "pointer"),
        (b"once upon a time\n", "no TextGrid"),
        (b'{"start": 0, "end": 1, "tiers": {}}', "no TextGrid"),
        (long_textgrid({"word": [(0, 1, "né")]}).encode("latin-1"), "neither UTF-8"),
        (long_textgrid({"word": [(0, 1, "no")]}).encode("utf-16-le"), "neither UTF-8"),
        (long_textgrid({"word": [(0, 1, "né")]}).encode("utf-16")[:-1], "neither UTF-8"),
    ],
)
def test_files_that_are_no_transcript(save, content, what):
    assert what in fault(save(content)).what


def test_undecodable_byte_is_placed(save):
    raw = b'File type = "ooTextFile"\nObject class = "TextGrid"\n\xff'
    assert fault(save(raw)).place == f"byte {len(raw) - 1}, line 3"


def test_unfetched_link_and_missing_file(tmp_path):
    link = tmp_path / "story.TextGrid"
    link.symlink_to("../.git/annex/objects/0Z/1p/MD5E")
    problem = fault(link)
    assert "not fetched" in problem.what
    assert f"datalad get {link}" in problem.remedy
    assert "does not exist" in fault(tmp_path / "other.TextGrid").what
    (tmp_path / "aquietfire.TextGrid").touch()
    assert "aquietfire.TextGrid" in fault(tmp_path / "quietfire.TextGrid").remedy


@pytest.mark.parametrize("style", FORMATS)
def test_truncation_anywhere_is_found(save, style):
    """A file cut at any byte is an error, never fewer words (praatio alone would give fewer)."""
    text = FORMATS[style]({"phone": [(0, 9, "x")], "word": WORDS})
    end = len(text.rstrip())
    for cut in range(1, end):
        problem = fault(save(text[:cut]))
        assert "truncated" in problem.what or "no TextGrid" in problem.what, cut
    assert len(read_textgrid(save(text[:end]))) == 2


def test_tier_cut_between_intervals_tells_the_counts(save):
    text = long_textgrid({"phone": [], "word": WORDS})
    problem = fault(save(text[: text.index("        intervals [4]")]))
    assert problem.what.endswith("4 intervals are announced, 3 found")
    assert "'word', interval 3" in problem.place


LABELS = st.text(
    st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), min_size=1, max_size=8
)


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 999), st.integers(1, 999), LABELS), min_size=1),
    style=st.sampled_from(sorted(FORMATS)),
    encoding=st.sampled_from(ENCODINGS),
)
def test_any_words_come_back(tmp_path_factory, steps, style, encoding):
    intervals, now = [], 0
    for gap, duration, label in steps:
        intervals.append(((now + gap) / 1000, (now + gap + duration) / 1000, f"x{label}x"))
        now += gap + duration
    path = tmp_path_factory.mktemp("grid") / "story.TextGrid"
    path.write_bytes(encode(FORMATS[style]({"word": intervals}), encoding))
    words = read_textgrid(path)
    assert words.to_numpy().tolist() == [[w.lower(), s, e] for s, e, w in intervals]


def test_read_stories(tmp_path):
    write_dataset(tmp_path, ["first", "second"], [])
    words = read_stories(Dataset(tmp_path, {}), ["second", "first"])
    assert list(words.columns) == ["story", "word", "onset", "offset"]
    assert words["story"].tolist() == ["second", "second", "first", "first"]
    assert words["word"].tolist() == ["once", "upon"] * 2
    assert read_stories(Dataset(tmp_path, {}), []).empty


def test_read_stories_raises_all_problems_at_once(tmp_path):
    write_dataset(tmp_path, ["first", "second", "third"], [])
    dataset = Dataset(tmp_path, {})
    dataset.transcript("first").unlink()
    dataset.transcript("third").write_text("")
    with pytest.raises(ProblemError) as caught:
        read_stories(dataset, ["first", "second", "third"])
    assert len(caught.value.problems) == 2
