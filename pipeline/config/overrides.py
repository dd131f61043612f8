"""What `--config` gives, as YAML has it: Snakemake takes for text whatever is nested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


def typed(config: dict[str, Any], entries: Sequence[str]) -> dict[str, Any]:
    """`config` with numbers, truth values and null where Snakemake made text of them.

    Parameters
    ----------
    config : dict
        As Snakemake merged it of files and command line; it is left alone.
    entries : sequence of str
        KEY=VALUE as given to `--config`, in their order.

    Returns
    -------
    dict
        With what the same entries would be in a file; all else stays, as a module's own values.
    """
    config = dict(config)
    for entry in entries:
        key, _, text = entry.partition("=")
        text = text.strip("'\"")  # as Snakemake does
        try:
            as_text = yaml.load(text, yaml.BaseLoader)  # makes texts only  # nosec B506
            as_yaml = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            continue  # Snakemake took it for a name, and so it stays
        if key in config:
            config[key] = _typed(config[key], as_text, as_yaml)
    return config


def _typed(value: Any, as_text: Any, as_yaml: Any) -> Any:
    """`as_yaml` where the value is `as_text`; in depth, as files may have given neighbours."""
    are_dicts = isinstance(value, dict) and isinstance(as_yaml, dict)
    if are_dicts and len(as_text) == len(as_yaml):  # in one order, but keys may be numbers in YAML
        pairs = zip(as_text.items(), as_yaml.values(), strict=True)
        return value | {k: _typed(value[k], text, new) for (k, text), new in pairs if k in value}
    return as_yaml if value == as_text else value
