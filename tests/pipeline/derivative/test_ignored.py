import re

from pipeline.derivative.ignored import patterns
from tests.conftest import REPOSITORY


def test_every_pattern_is_of_one_kind_of_file_that_the_docs_name():
    """No star ends a pattern or stands for a folder's depth, so that stray files stay errors."""
    pages = [REPOSITORY / "docs" / f"{page}.md" for page in ("outputs", "weights")]
    said = "".join(page.read_text() for page in pages)
    for pattern in patterns():
        assert pattern.startswith("/") and "**" not in pattern and not pattern.endswith("*")
        kind = pattern.rpartition("/")[2].rpartition("_")[2]  # what is in it
        named = kind.replace("*", "PARCELLATION") if kind.startswith("*") else kind
        assert re.search(rf"[`_./]{re.escape(named)}\b", said) or f"{named}/" in said, pattern


def test_no_pattern_is_said_twice():
    assert len(patterns()) == len(set(patterns()))
