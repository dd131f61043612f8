"""What a browser may do with a page (its content security policy): show it, and ask for nothing."""

from __future__ import annotations

import base64
import hashlib


def policy(style: str, script: str) -> str:
    """The policy of a page that runs one script and has one style sheet, both within it.

    Nothing is loaded and nothing sent; of scripts and styles only these run, whatever else should
    come into the page with the names and words of a dataset.

    Parameters
    ----------
    style, script : str
        What stands between the tags, to the letter.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
