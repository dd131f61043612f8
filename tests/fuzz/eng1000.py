"""Damaged embeddings: what Eng1000 has beside the numbers."""

import h5py
import numpy as np

from tests.fuzz.hdf5 import put, rewrite
from tests.fuzz.registry import damage
from tests.fuzz.specimens import ENG1000


@damage(ENG1000, refused="vocab")
def vocabulary_lost(path):
    """There is no vocabulary."""
    with h5py.File(path, "r+") as file:
        del file["vocab"]


@damage(ENG1000, refused="in another file")
def vocabulary_elsewhere(path):
    """The vocabulary is the bytes of another file, which a message would quote."""
    other = path.with_name("key.txt")
    other.write_bytes(b"PRIVATE-KEY-" * 1000)
    with h5py.File(path, "r+") as file:
        n = len(file["vocab"])
        del file["vocab"]
        file.create_dataset("vocab", (n,), "S12", external=[(str(other), 0, 12 * n)])


@damage(ENG1000, refused="should be")
def vocabulary_short(path):
    """The vocabulary has one word fewer than the matrix columns."""
    rewrite(path, "vocab", lambda x: x[:-1])


@damage(ENG1000, refused="vocab")
def vocabulary_of_numbers(path):
    """The vocabulary is numbers."""
    rewrite(path, "vocab", lambda x: np.arange(len(x)))


@damage(ENG1000, refused="vocab")
def vocabulary_of_arrays(path):
    """The vocabulary is lists of numbers."""
    with h5py.File(path, "r+") as file:
        n = len(file["vocab"])
        del file["vocab"]
        vocab = file.create_dataset("vocab", (n,), h5py.vlen_dtype(np.int32))
        vocab[0] = np.arange(3, dtype=np.int32)


@damage(ENG1000)
def vocabulary_of_variable_length(path):
    """The vocabulary is strings of variable length."""
    with h5py.File(path, "r+") as file:
        words = [word.decode() for word in file["vocab"]]
        del file["vocab"]
        file["vocab"] = words


@damage(ENG1000, warned="listed twice")
def word_twice(path):
    """The last word of the vocabulary is the first once more."""
    with h5py.File(path, "r+") as file:
        file["vocab"][-1] = file["vocab"][0]


@damage(ENG1000, warned="not UTF-8")
def vocabulary_undecodable(path):
    """A word of the vocabulary is no UTF-8."""
    rewrite(path, "vocab", lambda x: put(x, 0, b"\xff\xfe\xfd"))


@damage(ENG1000, refused="all values are zero")
def embedding_of_zeros(path):
    """Every value is 0."""
    rewrite(path, "data", np.zeros_like)


def _respell(path, spell):
    with h5py.File(path, "r+") as file:
        words = [spell(word.decode()).encode() for word in file["vocab"]]
        del file["vocab"]
        file["vocab"] = np.array(words)


@damage(ENG1000, refused="written as Python's bytes")
def vocabulary_of_byte_literals(path):
    """Words are spelt b'the'."""
    _respell(path, lambda word: repr(word.encode()))


@damage(ENG1000, refused="padded with blanks")
def vocabulary_padded(path):
    """Words are padded with blanks to one length."""
    _respell(path, lambda word: word.ljust(30))


@damage(ENG1000, refused="padded with blanks")
def vocabulary_with_line_ends(path):
    """Words end in a newline."""
    _respell(path, lambda word: f"{word}\n")


@damage(ENG1000, refused="tagged with their part of speech")
def vocabulary_tagged(path):
    """Words have their part of speech (the_DT)."""
    _respell(path, lambda word: f"{word}_DT")


@damage(ENG1000, refused="it knows 0% of the words")
def vocabulary_of_another_language(path):
    """The words are of another language than the stories'."""
    _respell(path, lambda word: f"der{word}chen")
