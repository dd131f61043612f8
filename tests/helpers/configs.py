"""Configurations that differ from another in a few keys."""

import copy
from typing import Any

BASIC = {
    "name": "x",
    "data_root": "data/x",
    "subjects": {"S1": None, "S2": {"exclude": ["b"]}},
    "stories": {"train": ["a", "b", "c", "d"], "test": ["t"]},
    "features": {"eng1000": None, "ngram": {"n": 3, "min_lag": 8}, "ngramlag": {}, "ar": {}},
    "models": {"eng1000": ["eng1000"], "ngram": ["eng1000", "ngram"]},
    "fit": {"n_folds": 3},
}


def changed(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with other values; `a__b=1` sets the key b of the part a."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = config
        for parent in parents:
            part = part.setdefault(parent, {})
        part[key] = value
    return config
