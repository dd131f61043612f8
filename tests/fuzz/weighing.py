"""Damaged weights of a mixture, and damaged tables of n-grams."""

import json

import numpy as np

from gim.infinigram.index import checksum
from gim.infinigram.kneser_ney import ARRAYS, DESCRIPTION
from tests.fuzz.registry import common, cut, damage, edit, recode
from tests.fuzz.specimens import NGRAMS, WEIGHTS

common(
    WEIGHTS,
    missing="cannot be read",
    empty="no weights of a mixture",
    folder="cannot be read",
    unreadable="cannot be read",
    lfs_pointer="no weights of a mixture",
    dangling="cannot be read",
)


def _change(path, **parts):
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | parts))


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_in_a_list(path):
    """The file holds a list."""
    path.write_text("[]")


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_of_another_format(path):
    """An older format."""
    _change(path, format=1)


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_without_a_number(path):
    """A number of the gate has another name."""
    edit(path, '"log_places"', '"places"')


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_of_words(path):
    """A word stands for a number."""
    edit(path, '"one": ', '"one": "much", "two": ')


@damage(WEIGHTS, refused="not finite")
def weights_not_finite(path):
    """NaN stands for a number."""
    edit(path, '"one": ', '"one": NaN, "two": ')


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_beyond_floats(path):
    """A number is greater than any float."""
    edit(path, '"one": ', f'"one": 1{"0" * 400}, "two": ')


@damage(WEIGHTS, refused="no weights of a mixture")
def weights_nested_deeply(path):
    """A hundred thousand brackets, one in the other."""
    path.write_text("[" * 100_000)


@damage(WEIGHTS, refused="no tau")
def weights_with_a_tau_of_zero(path):
    """Tau is 0."""
    _change(path, tau={"value": 0})


@damage(WEIGHTS, refused="no tau")
def weights_with_a_bare_tau(path):
    """Tau is a number without its interval."""
    _change(path, tau=8)


@damage(WEIGHTS)
def weights_that_say_more(path):
    """There is a key of a later version."""
    _change(path, author="someone")


def _describe(path, **parts):
    _change(path / DESCRIPTION, **parts)


def _vouch(path):
    """Let the checksums be those of the files, as whoever means harm would."""
    _describe(path, crc32={name: checksum(path / name) for name in ARRAYS})


def _alter(path, name, where, value):
    """Change one number of an array."""
    about = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    dtype = {"tokens": "<u2", "counts": "<u4", "children": about["pointer"]}[name]
    values = np.fromfile(path / name, dtype)
    values[where] = value
    values.tofile(path / name)


@damage(NGRAMS)
def ngrams_without_description(path):
    """Their description is missing: they are made anew."""
    (path / DESCRIPTION).unlink()


@damage(NGRAMS, refused="damaged")
def ngrams_description_in_a_list(path):
    """Their description holds a list."""
    (path / DESCRIPTION).write_text("[]")


@damage(NGRAMS, refused="damaged")
def ngrams_description_cut_short(path):
    """The end of the description is missing."""
    cut(path / DESCRIPTION)


@damage(NGRAMS, refused="damaged")
def ngrams_of_another_order(path):
    """The description gives another order."""
    _describe(path, order=7)


@damage(NGRAMS, refused="discounts above the counts")
def ngrams_with_great_discounts(path):
    """More is taken off than there is."""
    _describe(path, discounts=[[0.0, 5.0, 5.0, 5.0]] * 5)


@damage(NGRAMS, refused="discounts above the counts")
def ngrams_with_discounts_not_a_number(path):
    """A discount is NaN."""
    _describe(path, discounts=[[0.0, float("nan"), 1.0, 1.0]] * 5)


@damage(NGRAMS, refused="of an older version")
def ngrams_of_an_older_version(path):
    """The description is of the first version, which kept no checksums."""
    about = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    del about["crc32"]
    (path / DESCRIPTION).write_text(json.dumps(about | {"format": 1}))


@damage(NGRAMS, refused="of an older version")
def ngrams_with_odd_pointers(path):
    """Pointers of a width that never was."""
    _describe(path, pointer="<i4")


@damage(NGRAMS, refused="of an older version")
def ngrams_of_another_index(path):
    """They are of an index with more tokens."""
    _describe(path, tokens=10**6)


@damage(NGRAMS, refused="not the tables of this index")
def ngrams_cut_short(path):
    """The end of the counts is missing."""
    cut(path / "counts")


@damage(NGRAMS, refused="damaged")
def ngrams_without_an_array(path):
    """An array is missing."""
    (path / "children").unlink()


@damage(NGRAMS, refused="counts: not what was made")
def ngrams_with_a_changed_count(path):
    """A count is another."""
    _alter(path, "counts", 2, 40)


@damage(NGRAMS, refused="is out of order")
def ngrams_that_lead_astray(path):
    """A pointer leads beyond the n-grams, and the checksum says so."""
    _alter(path, "children", 3, 2**31)
    _vouch(path)


@damage(NGRAMS, refused="is out of order")
def ngrams_that_never_end(path):
    """The last pointer leads beyond the n-grams, and the checksum says so."""
    _alter(path, "children", -1, 2**31)
    _vouch(path)


@damage(NGRAMS, refused="is out of order")
def ngrams_of_unknown_tokens(path):
    """A token has an id beyond the vocabulary, and the checksum says so."""
    _alter(path, "tokens", -1, 60_000)
    _vouch(path)


@damage(NGRAMS, refused="is out of order")
def ngrams_never_seen(path):
    """An n-gram was seen no times, and the checksum says so."""
    _alter(path, "counts", -1, 0)
    _vouch(path)
