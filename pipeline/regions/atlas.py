"""nilearn's atlases, where they are on this disk; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pipeline.core.errors import Problem, ProblemError

PREFIX = "fetch_atlas_"


def read_atlas(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """What nilearn's `fetch_atlas_NAME(**options)` gives, from disk only.

    Parameters
    ----------
    name : str
        `harvard_oxford`, `schaefer_2018`, `surf_destrieux` and so on.
    options : mapping
        Arguments of nilearn's function.

    Raises
    ------
    ProblemError
        nilearn has no such atlas or option, or its files are not on this disk or are damaged.
    """
    import requests
    from nilearn import datasets  # slow to import

    source = f"nilearn's atlas {name}"
    fetch = getattr(datasets, f"{PREFIX}{name}", None)
    if fetch is None:
        known = sorted(n.removeprefix(PREFIX) for n in dir(datasets) if n.startswith(PREFIX))
        remedy = f"use one of {', '.join(known)}"
        raise ProblemError(Problem(source, "regions", "there is no such atlas", remedy))
    arguments = ", ".join(f"{key}={value!r}" for key, value in options.items())
    try:
        with _offline():
            return fetch(**options, verbose=0)
    except requests.RequestException as error:
        call = f"{PREFIX}{name}({arguments})"
        remedy = (
            "nothing is downloaded unasked; fetch it once with "
            f'`python -c "from nilearn.datasets import *; {call}"`'
        )
        what = "its files are not on this disk (nilearn_data, $NILEARN_DATA)"
        raise ProblemError(Problem(source, "regions", what, remedy)) from error
    except (TypeError, ValueError) as error:
        remedy = f"correct `options`, the arguments of nilearn's {PREFIX}{name}"
        raise ProblemError(Problem(source, "regions", str(error), remedy)) from error
    except Exception as error:  # nibabel's, of XML, of archives: whatever damaged files lead to
        what = f"its files cannot be read ({type(error).__name__}: {error})"
        remedy = "delete them (nilearn_data, $NILEARN_DATA) and fetch the atlas again"
        raise ProblemError(Problem(source, "regions", what, remedy)) from error


@contextmanager
def _offline() -> Iterator[None]:
    """Let every request of nilearn's fail at once."""
    import requests

    refused = requests.ConnectionError("downloads are not allowed here")
    with patch.object(requests.Session, "send", side_effect=refused):
        yield
