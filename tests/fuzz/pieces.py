"""Damaged SentencePiece models."""

from tests.fuzz.registry import common, cut, damage
from tests.fuzz.specimens import PIECES

common(
    PIECES,
    empty="not a SentencePiece model",
    lfs_pointer="not fetched yet",
    dangling="not fetched yet",
)


@damage(PIECES, refused="not a SentencePiece model")
def pieces_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(PIECES, refused="not a SentencePiece model")
def pieces_of_zeros(path):
    """The disk was full: all bytes are zero."""
    path.write_bytes(bytes(path.stat().st_size))


@damage(PIECES, refused="not a SentencePiece model")
def pieces_of_text(path):
    """A web page that a download saved instead."""
    path.write_text("<!DOCTYPE html><title>404 Not Found</title>" + "x" * 5000)


@damage(PIECES, refused="not a SentencePiece model")
def pieces_in_json(path):
    """A tokenizer.json under the name of a SentencePiece model."""
    path.write_bytes(path.with_name("tokenizer.json").read_bytes())


@damage(PIECES, refused="not a SentencePiece model")
def pieces_overwritten(path):
    """Twenty bytes within the file are lost."""
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\xff" * 20 + raw[120:])
