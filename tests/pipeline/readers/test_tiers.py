"""Tiers that are not named words: chosen by what their labels look like, or not at all."""

import numpy as np
import pytest

from pipeline.core.errors import Findings, ProblemError
from pipeline.readers.formats import read_transcript
from tests.helpers.datasets import long_textgrid


def said(text):
    return text.split()


WORDS = said("the winter light went down over a harbour where seven boats were waiting for us")
SOUNDS = said("D@ wInt@ laIt went daUn @Uv@ @ hA:b@ we@ sev@n b@Uts w3: weItIN fO: Vs")
ARPABET = said("DH AH0 W IH1 N T ER0")
GERMAN = said("Der Wind und die Sonne stritten sich wer von ihnen wohl der Stärkere wäre")


def spread(labels, end=6.0):
    times = np.linspace(0, end, len(labels) + 1).tolist()
    return list(zip(times[:-1], times[1:], labels, strict=True))


def parts(labels, n=1):
    """Each label cut into pieces of so many letters."""
    return [word[i : i + n] for word in labels for i in range(0, len(word), n)]


SENTENCE = [(0.0, 3.0, " ".join(WORDS[:8])), (3.0, 6.0, " ".join(WORDS[8:]))]
MAUS = {"ORT": WORDS, "KAN": SOUNDS, "MAU": parts(SOUNDS)}
CHOSEN = {
    "maus": ("ORT", MAUS),
    "maus-backwards": ("ORT", dict(reversed(MAUS.items()))),
    "two": ("ORT", {"ORT": WORDS, "MAU": parts(SOUNDS)}),
    "two-backwards": ("ORT", {"MAU": parts(SOUNDS), "ORT": WORDS}),
    "phones": ("Mary", {"Mary": WORDS, "phones": parts(SOUNDS)}),
    "arpabet": ("b", {"a": ARPABET * 6, "b": [word.upper() for word in WORDS]}),
    "syllables": ("b", {"a": parts(WORDS, 2), "b": WORDS}),
    "german": ("ORT", {"MAU": parts(GERMAN), "ORT": GERMAN}),
    "parts-of-speech": ("x", {"x": WORDS, "tags": ["NN", "VB", "DT"] * 5}),
    "pauses": ("ORT", {"ORT": [*WORDS, "<p:>"], "MAU": [*parts(SOUNDS), "<p:>"]}),
}


@pytest.fixture
def read(tmp_path):
    """Words of a TextGrid with these tiers, lists of labels or intervals; and the warnings."""

    def run(tiers, **options):
        path = tmp_path / "s.TextGrid"
        own = {n: t if t and isinstance(t[0], tuple) else spread(t) for n, t in tiers.items()}
        path.write_text(long_textgrid(own))
        findings = Findings()
        return read_transcript(path, options, findings)["word"].tolist(), findings.warnings

    return run


@pytest.mark.parametrize(("name", "tiers"), CHOSEN.values(), ids=CHOSEN)
def test_the_tier_that_looks_like_words(read, name, tiers):
    words, (warning,) = read(tiers)
    assert words == [label.lower() for label in tiers[name] if label.isalpha()]
    assert repr(name) in warning.place
    assert all(repr(other) in warning.what for other in tiers if other != name)
    assert f"transcripts.tier: {name}" in warning.remedy


def test_sentences_and_noises_are_not_words(read):
    noises = [(1.0, 1.3, "breath"), (4.0, 4.2, "laugh")]
    tiers = {"talk": SENTENCE, "who": WORDS, "noise": noises, "MAU": parts(SOUNDS)}
    words, (warning,) = read(tiers)
    assert words == WORDS
    assert "'talk', 'noise', 'MAU'" in warning.what


@pytest.mark.parametrize(
    "tiers",
    [
        {"Mary": WORDS, "John": WORDS[::-1]},
        {"Mary": WORDS, "John": WORDS[:10]},
        {"x": WORDS, "lemma": ["be" if w in {"were", "went"} else w for w in WORDS]},
        {"a": SENTENCE, "b": [(0, 3, "again " * 5), (3, 6, "so it is")]},
        {"phones": parts(SOUNDS), "phonemes": SOUNDS},
        {"a": [(0, 1, "sp")], "b": []},
    ],
    ids=["speakers", "one-says-less", "lemmas", "sentences", "phones", "silence"],
)
def test_where_labels_do_not_tell_the_tier_must_be_named(read, tiers):
    with pytest.raises(ProblemError) as caught:
        read(tiers)
    (problem,) = caught.value.problems
    assert "there is no word tier" in problem.what
    assert "transcripts.tier" in problem.remedy


def test_a_tier_that_is_named_or_alone_is_taken_without_a_warning(read):
    assert read({"MAU": parts(SOUNDS), "words": WORDS}) == (WORDS, [])
    assert read({"Mary": WORDS}) == (WORDS, [])
    assert read(MAUS, tier="KAN")[1] == []


@pytest.mark.parametrize("name", ["words", "sentences.csv"])
def test_a_tier_or_table_of_sentences_is_refused(tmp_path, name):
    if name.endswith("csv"):
        path = tmp_path / name
        rows = "".join(f"{label},{start},{end}\n" for start, end, label in SENTENCE)
        path.write_text(f"word,onset,offset\n{rows}")
    else:
        path = tmp_path / "s.TextGrid"
        path.write_text(long_textgrid({name: SENTENCE}))
    with pytest.raises(ProblemError) as caught:
        read_transcript(path, {})
    (problem,) = caught.value.problems
    assert "2 of 2 labels are of several words" in problem.what
