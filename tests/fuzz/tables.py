"""Damaged tables: what any may suffer, words, BIDS events, responses of regions."""

from tests.fuzz.formats import BIDS, NAMES, TABLE, WORDS
from tests.fuzz.registry import CHECKED, common, damage, edit, recode

for _specimen in (WORDS, BIDS, TABLE, NAMES):
    common(_specimen, **CHECKED)

    @damage(_specimen)
    def byte_order_mark(path):
        """UTF-8 with a byte-order mark."""
        recode(path, "utf-8-sig")

    @damage(_specimen)
    def windows_lines(path):
        """Lines end as on Windows (CR LF)."""
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    @damage(_specimen)
    def blank_lines_at_the_end(path):
        """Blank lines follow the table."""
        path.write_text(path.read_text() + "\n\n")

    @damage(_specimen, refused="not decodable")
    def utf16(path):
        """UTF-16."""
        recode(path, "utf-16")

    @damage(_specimen, refused="not decodable")
    def latin1(path):
        """A letter in Latin-1."""
        path.write_bytes(path.read_bytes().replace(b"\n", b"\xe9\n", 1))

    @damage(_specimen, refused="zero bytes")
    def zero_bytes(path):
        """Zeros in the middle of the file."""
        raw = path.read_bytes()
        path.write_bytes(raw[: len(raw) // 2] + bytes(8) + raw[len(raw) // 2 + 8 :])

    @damage(_specimen, refused="line 3")
    def cell_lost(path):
        """A row has a cell fewer than the header."""
        lines = path.read_text().splitlines()
        separator = "," if path.suffix == ".csv" else "\t"
        lines[2] = lines[2].rpartition(separator)[0]
        path.write_text("\n".join(lines) + "\n")

    @damage(_specimen, refused="line 3")
    def cell_more(path):
        """A row has a cell more than the header."""
        lines = path.read_text().splitlines()
        lines[2] += ",1" if path.suffix == ".csv" else "\t1"
        path.write_text("\n".join(lines) + "\n")

    @damage(_specimen, refused="no row")
    def header_only(path):
        """The header alone is there."""
        path.write_text(path.read_text().partition("\n")[0] + "\n")

    @damage(_specimen, refused="named twice")
    def column_twice(path):
        """Two columns have the same name."""
        first, _, rest = path.read_text().partition("\n")
        separator = "," if path.suffix == ".csv" else "\t"
        names = first.split(separator)
        path.write_text(separator.join([names[1], *names[1:]]) + "\n" + rest)


for _specimen in (WORDS, BIDS):

    @damage(_specimen, refused="no column")
    def column_lost(path):
        """The onsets have another name."""
        edit(path, "onset", "start")

    @damage(_specimen, refused="no column")
    def other_separator(path):
        """Semicolons separate the cells."""
        path.write_text(path.read_text().replace("," if path.suffix == ".csv" else "\t", ";"))

    @damage(_specimen, refused="no numbers of seconds")
    def time_lost(path):
        """An onset is missing."""
        edit(path, "0.9", "n/a")

    @damage(_specimen, refused="no numbers of seconds")
    def time_not_a_number(path):
        """An onset is NaN."""
        edit(path, "0.9", "nan")

    @damage(_specimen, refused="no numbers of seconds")
    def time_infinite(path):
        """An onset is infinite."""
        edit(path, "0.9", "inf")

    @damage(_specimen, refused="ends before it starts")
    def backwards(path):
        """A word ends before it starts."""
        if path.suffix == ".csv":
            edit(path, "0.9,1.2", "1.2,0.9")
        else:
            edit(path, "0.9\t0.3", "0.9\t-0.3")

    @damage(_specimen, refused="given twice")
    def row_twice(path):
        """A row is there twice, one after the other."""
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:5], *lines[4:]]) + "\n")

    @damage(_specimen, refused="given twice")
    def appended_twice(path):
        """The rows are there twice, the file having been written with 'append'."""
        text = path.read_text()
        path.write_text(text + text.partition("\n")[2])

    @damage(_specimen)
    def rows_out_of_order(path):
        """Rows are in another order."""
        first, *lines = path.read_text().splitlines()
        path.write_text("\n".join([first, *reversed(lines)]) + "\n")


def _durations(path, factor):
    """Multiply how long words last: the end of each in a table, the duration in events."""
    separator = "," if path.suffix == ".csv" else "\t"
    head, *rows = [line.split(separator) for line in path.read_text().splitlines()]
    onset, ends = head.index("onset"), head.index("offset" if "offset" in head else "duration")
    for row in rows:
        start = float(row[onset]) if "offset" in head else 0.0
        row[ends] = f"{start + factor * (float(row[ends]) - start):.6g}"
    path.write_text("".join(separator.join(row) + "\n" for row in [head, *rows]))


for _specimen in (WORDS, BIDS):

    @damage(_specimen, refused="likely milliseconds")
    def durations_in_milliseconds(path):
        """Durations are in milliseconds."""
        _durations(path, 1000)

    @damage(_specimen, refused="likely minutes")
    def durations_in_minutes(path):
        """Durations are in minutes."""
        _durations(path, 1 / 60)

    @damage(_specimen, refused="are said at a time")
    def durations_in_tenths(path):
        """Durations are in tenths of a second."""
        _durations(path, 10)


@damage(WORDS, refused="line 2, 'word0'")
def places_in_the_text(path):
    """The offsets are places in the text, as in Gentle's tables."""
    head, *lines = path.read_text().splitlines()
    rows = [line.rpartition(",")[0] + f",{7 * (i + 1)}" for i, line in enumerate(lines)]
    path.write_text("\n".join([head, *rows]) + "\n")


@damage(BIDS, refused="'word ' (1 rows)")
def blank_after_a_type(path):
    """A blank follows the type of one word."""
    edit(path, "\tword\tword3\n", "\tword \tword3\n")


@damage(BIDS, refused="no words")
def events_of_another_type(path):
    """No row is of the type that `where` asks for."""
    path.write_text(path.read_text().replace("\tword\t", "\twords\t"))


@damage(BIDS, refused="no numbers of seconds")
def decimal_commas(path):
    """Times have decimal commas."""
    path.write_text(path.read_text().replace(".", ","))


@damage(WORDS, refused="not a table")
def quote_unclosed(path):
    """The quotation mark after a word is missing."""
    edit(path, "word3,", '"word3,')


@damage(WORDS, refused="line 2")
def csv_with_decimal_commas(path):
    """Times have decimal commas."""
    path.write_text(path.read_text().replace(".", ","))


# Responses


def _column(path, values, name="time"):
    """Put a column before the others."""
    lines = path.read_text().splitlines()
    cells = [name, *map(str, values)]
    path.write_text("".join(f"{a},{b}\n" for a, b in zip(cells, lines, strict=True)))


@damage(TABLE, refused="NaN or infinite")
def cell_empty(path):
    """A cell is empty."""
    lines = path.read_text().splitlines()
    lines[3] = "," + lines[3].partition(",")[2]
    path.write_text("\n".join(lines) + "\n")


@damage(TABLE, refused="NaN or infinite")
def cell_infinite(path):
    """A value is infinite."""
    lines = path.read_text().splitlines()
    lines[3] = "-inf," + lines[3].partition(",")[2]
    path.write_text("\n".join(lines) + "\n")


@damage(TABLE, refused="NaN or infinite")
def cell_too_large(path):
    """A value is too large for single precision."""
    lines = path.read_text().splitlines()
    lines[3] = "1e300," + lines[3].partition(",")[2]
    path.write_text("\n".join(lines) + "\n")


@damage(TABLE, refused="is no number")
def letter_in_a_number(path):
    """A letter stands in a number."""
    lines = path.read_text().splitlines()
    lines[3] = "O.5," + lines[3].partition(",")[2]
    path.write_text("\n".join(lines) + "\n")


@damage(TABLE, refused="rows, but")
def table_row_lost(path):
    """The last row is missing."""
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


@damage(TABLE, refused="rows, but")
def table_row_twice(path):
    """The last row is there twice."""
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")


@damage(TABLE, refused="counts the rows")
def index_column(path):
    """The numbers of the rows are a column."""
    _column(path, range(8), "")


@damage(TABLE, refused="counts the rows")
def column_of_times(path):
    """The times of the volumes are a column."""
    _column(path, [round(2.0045 * i, 2) for i in range(8)])


@damage(TABLE, refused="counts the rows")
def clock_with_jitter(path):
    """Times that jitter are a column."""
    _column(path, [0.0, 2.3, 4.1, 5.8, 8.4, 9.9, 12.2, 14.0])


@damage(TABLE, refused="counts the rows")
def clock_with_a_censored_volume(path):
    """Times, of which one volume was censored, are a column."""
    _column(path, [0, 2, 4, 8, 10, 12, 14, 16])


@damage(TABLE, refused="is no number")
def column_of_names(path):
    """The names of the subjects are a column."""
    _column(path, ["S1"] * 8, "subject")
