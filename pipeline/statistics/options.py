"""Options of the tests of significance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class TestOptions:
    """How p values are found: `statistics` of the configuration (docs/configuration.md says each).

    Parameters
    ----------
    scheme : {"shift", "block"}
        Whether r is tested against shifted predictions or against blocks of them in other orders.
    permutations : int
        Permutations of each test.
    min_shift : int
        Least shift, TRs.
    block : int
        TRs of a block.
    tail : {"none", "gpd"}
        Whether small p values come from a generalised Pareto tail.
    alpha : float
        q and p below it are significant.
    """

    __test__ = False  # pytest: not a test case

    scheme: Literal["shift", "block"]
    permutations: int
    min_shift: int
    block: int
    tail: str
    alpha: float

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> TestOptions:
        """From `statistics` of the configuration; keys that are no field are left out."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})
