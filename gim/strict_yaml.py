"""YAML without surprises: a key given twice is an error, not the last one of them."""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from gim.errors import InputError


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    what = f"the key {key.value!r} is given twice"
                    raise ConstructorError(None, None, what, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file in UTF-8.

    Raises
    ------
    InputError
        If it cannot be read, is not YAML, or gives a key twice; the message names file and line.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8-sig"), _Loader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: cannot be read as YAML (too many brackets)") from error
