"""Damaged transcripts."""

import re

from tests.fuzz.registry import CHECKED, common, cut, damage, edit, recode
from tests.fuzz.specimens import TEXTGRID

common(TEXTGRID, **CHECKED)


def _set_time(path, pattern, value):
    """Set the first time that follows a pattern."""
    text = path.read_text()
    found = re.search(pattern + r"[\d.]+", text, re.DOTALL)
    start = found.end() - len(re.search(r"[\d.]+$", found.group()).group())
    path.write_text(text[:start] + value + text[found.end() :])


def _words(path):
    """Split a TextGrid before the word tier."""
    text = path.read_text()
    return text.partition("    item [2]:")


@damage(TEXTGRID)
def byte_order_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(TEXTGRID)
def windows_lines(path):
    """Lines end as on Windows (CR LF)."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


@damage(TEXTGRID)
def old_mac_lines(path):
    """Lines end as on old Macs (CR)."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))


@damage(TEXTGRID)
def utf16(path):
    """UTF-16 with a byte-order mark, as Praat saves it."""
    recode(path, "utf-16")


@damage(TEXTGRID, refused="neither UTF-8 nor UTF-16")
def utf16_without_mark(path):
    """UTF-16 without a byte-order mark."""
    recode(path, "utf-16-le")


@damage(TEXTGRID, refused="neither UTF-8 nor UTF-16")
def utf32(path):
    """UTF-32."""
    recode(path, "utf-32")


@damage(TEXTGRID, refused="neither UTF-8 nor UTF-16")
def latin1(path):
    """A letter in Latin-1."""
    path.write_bytes(path.read_bytes().replace(b'text = "', b'text = "caf\xe9 ', 1))


@damage(TEXTGRID, refused="neither UTF-8 nor UTF-16")
def zero_bytes(path):
    """A sector of the file is zeros."""
    raw = bytearray(path.read_bytes())
    raw[1024:1536] = bytes(512)
    path.write_bytes(raw)


@damage(TEXTGRID, refused="this is no TextGrid")
def html_page(path):
    """A web page that a download saved instead."""
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>")


@damage(TEXTGRID, refused="truncated")
def cut_short(path):
    """The end of the file is missing."""
    cut(path, 0.9)


@damage(TEXTGRID, refused="truncated")
def cut_after_an_interval(path):
    """The file ends neatly after an interval, before the last ones."""
    text = path.read_text()
    path.write_text(text[: text.rindex("        intervals [")])


@damage(TEXTGRID, refused="truncated")
def cut_after_a_tier(path):
    """The file ends neatly after the first tier."""
    path.write_text(_words(path)[0])


@damage(TEXTGRID, refused="truncated")
def interval_lost(path):
    """One interval in the middle is missing."""
    before, mark, after = _words(path)
    after = re.sub(
        r"        intervals \[5\]:.*?(?=        intervals \[6\]:)", "", after, flags=re.S
    )
    path.write_text(before + mark + after)


@damage(TEXTGRID, refused="truncated or malformed")
def line_lost(path):
    """An interval has no end."""
    before, mark, after = _words(path)
    after = re.sub(r"(intervals \[5\]:\n.*\n).*xmax.*\n", r"\1", after, count=1)
    path.write_text(before + mark + after)


@damage(TEXTGRID, refused="truncated or malformed")
def unclosed_quote(path):
    """The quotation mark after a word is missing."""
    before, mark, after = _words(path)
    path.write_text(
        before
        + mark
        + re.sub(r'(intervals \[5\].*?text = "[^"]*)"', r"\1", after, count=1, flags=re.S)
    )


@damage(TEXTGRID, refused="there is no word tier")
def no_word_tier(path):
    """The tier of the words is called 'phone' like the other."""
    edit(path, 'name = "word"', 'name = "phone"')


@damage(TEXTGRID, refused="no words")
def only_silence(path):
    """Every word is a silence."""
    path.write_text(re.sub(r'text = ".*"', 'text = "sp"', path.read_text()))


@damage(TEXTGRID, refused="reversed")
def reversed_times(path):
    """Start and end of an interval are swapped."""
    text = path.read_text()
    path.write_text(
        re.sub(
            r"(item \[2\].*?intervals \[4\]:\s+xmin = )(\S+)(\s+xmax = )(\S+)",
            r"\1\4\3\2",
            text,
            flags=re.S,
        )
    )


@damage(TEXTGRID, refused="negative time")
def negative_times(path):
    """The first interval begins before 0."""
    _set_time(path, r"item \[2\].*?intervals \[1\]:\s+xmin = ", "-1.5")


@damage(TEXTGRID, refused="overlaps")
def overlapping_times(path):
    """An interval begins inside the one before it."""
    _set_time(path, r"item \[2\].*?intervals \[2\]:\s+xmin = ", "0.0")


@damage(TEXTGRID, refused="overlaps")
def intervals_out_of_order(path):
    """Two intervals have changed places."""
    before, mark, after = _words(path)
    one = re.search(r"        intervals \[3\]:.*?(?=        intervals \[4\]:)", after, re.S).group()
    two = re.search(r"        intervals \[4\]:.*?(?=        intervals \[5\]:)", after, re.S).group()
    path.write_text(before + mark + after.replace(one + two, two + one))


@damage(TEXTGRID, refused="truncated or malformed")
def huge_time(path):
    """The last interval ends at 1e300 seconds."""
    text = path.read_text()
    path.write_text(re.sub(r"xmax = \S+( *\n *text = .*\s*)\Z", r"xmax = 1e300\1", text))


@damage(TEXTGRID, warned="begin after")
def enormous_onset(path):
    """The last word begins in 30 million years."""
    text = path.read_text()
    path.write_text(
        re.sub(
            r"xmin = \S+( *\n *)xmax = \S+( *\n *text = ).*(\s*)\Z",
            r'xmin = 1000000000000000000000\1xmax = 1000000000000000000001\2"late"\3',
            text,
        )
    )


@damage(TEXTGRID, refused="truncated or malformed")
def not_a_number(path):
    """A time is NaN."""
    _set_time(path, r"item \[2\].*?intervals \[3\]:\s+xmin = ", "nan")


@damage(TEXTGRID, refused="truncated or malformed")
def decimal_commas(path):
    """Times have decimal commas."""
    path.write_text(re.sub(r"(xm(?:in|ax) = \d+)\.", r"\1,", path.read_text()))


@damage(TEXTGRID, refused="are announced")
def wrong_count(path):
    """The word tier announces more intervals than it has."""
    before, mark, after = _words(path)
    path.write_text(
        before + mark + re.sub(r"intervals: size = \d+", "intervals: size = 9999", after)
    )


@damage(TEXTGRID, refused="truncated or malformed")
def scrambled_number(path):
    """A letter stands in a time."""
    _set_time(path, r"item \[2\].*?intervals \[3\]:\s+xmin = ", "1O.5")


@damage(TEXTGRID, warned="words begin after")
def words_after_the_scan(path):
    """The last word begins after the scan's end."""
    text = path.read_text()
    path.write_text(
        re.sub(
            r"xmin = \S+( *\n *)xmax = \S+( *\n *text = ).*(\s*)\Z",
            r'xmin = 9000\1xmax = 9001\2"late"\3',
            text,
        )
    )


@damage(TEXTGRID, refused="several tiers")
def two_word_tiers(path):
    """Two tiers are called 'word'."""
    edit(path, 'name = "phone"', 'name = "word"')


@damage(TEXTGRID, refused="likely milliseconds")
def milliseconds(path):
    """Times are in milliseconds."""
    text = path.read_text()
    path.write_text(
        re.sub(r"(xm(?:in|ax)) = ([\d.]+)", lambda m: f"{m[1]} = {float(m[2]) * 1000}", text)
    )


@damage(TEXTGRID, refused="the word lasts")
def last_word_stretched(path):
    """The last word is stretched over five minutes."""
    text = path.read_text()
    path.write_text(
        re.sub(
            r"xmax = \S+( *\n *text = ).*(\s*)\Z",
            lambda m: f'xmax = 400{m[1]}"late"{m[2]}',
            text,
        )
    )


@damage(TEXTGRID, warned="this one looks like them")
def tiers_of_another_habit(path):
    """Tiers are called 'MAU' and 'ORT', as aligners call them."""
    edit(path, 'name = "phone"', 'name = "MAU"')
    edit(path, 'name = "word"', 'name = "ORT"')


@damage(TEXTGRID, refused="there is no word tier")
def tiers_of_two_speakers(path):
    """Two tiers of words are called by their speakers."""
    before, mark, after = _words(path)
    intervals = after[after.index("        intervals: size") :]
    head = before[: before.index("        intervals: size")]
    text = head + intervals + mark + after
    path.write_text(text.replace('"phone"', '"Mary"').replace('"word"', '"John"'))


@damage(TEXTGRID, refused="these are sentences")
def tier_of_sentences(path):
    """Labels of the word tier are sentences."""
    before, mark, after = _words(path)
    path.write_text(before + mark + re.sub(r'text = "(\w+)"', r'text = "so \1 it is"', after))


@damage(TEXTGRID, refused="of the words, not", names="english1000sm.hf5")
def another_language(path):
    """The words are of another language than the embedding's."""
    before, mark, after = _words(path)
    path.write_text(before + mark + re.sub(r'text = "(\w+)"', r'text = "der\1chen"', after))


@damage(TEXTGRID, warned="the words are those of")
def another_storys_words(path):
    """The transcript is that of another training story."""
    path.write_bytes(path.with_name("train03.TextGrid").read_bytes())


@damage(TEXTGRID, refused="one trains, the other tests")
def test_storys_words(path):
    """The transcript is that of the test story."""
    path.write_bytes(path.with_name("test01.TextGrid").read_bytes())
