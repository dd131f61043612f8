"""An encoder's weights on disk: as they are, as float16, or matrices in eight bits a number."""

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor

Storage = Literal["float32", "float16", "int8"]
SCALE = ".scale"  # a matrix of eight bits has one number a row beside it, of this name
LEAST = 64  # numbers a row from which on eight bits are worth a scale
LARGEST = 127
TINY = torch.finfo(torch.float32).tiny  # of a row of zeros; smaller scales would lose digits


def pack(weights: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Weights as they are stored.

    In eight bits a row of a matrix is whole multiples of its largest number over 127: the error is
    at most half of that, some 0.6 % of a row of normal numbers. All that is small stays float16.

    Parameters
    ----------
    weights : mapping of float tensors
    storage : {"float32", "float16", "int8"}

    Returns
    -------
    stored : dict of tensors
        For "int8" with ``NAME.scale``, shape (n_rows,), beside every matrix of eight bits.
    """
    stored: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if storage == "int8" and _is_matrix(weight):
            scale = (weight.float().abs().amax(1) / LARGEST).clamp(min=TINY)
            stored[name] = (weight.float() / scale[:, None]).round().to(torch.int8)
            stored[name + SCALE] = scale
        else:
            stored[name] = weight.float() if storage == "float32" else weight.half()
    return {name: values.contiguous() for name, values in stored.items()}


def unpack(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The float32 weights of what `pack` made.

    Raises
    ------
    ValueError
        For a matrix of eight bits without a scale of its rows.
    """
    weights: dict[str, Tensor] = {}
    for name in names_of(stored):
        weight = stored[name].float()
        if stored[name].dtype == torch.int8:
            scale = stored.get(name + SCALE)
            if scale is None or scale.shape != weight.shape[:1]:
                raise ValueError(f"{name} is stored in eight bits without a scale of each row")
            weight = weight * scale[:, None]
        weights[name] = weight
    return weights


def names_of(stored: Collection[str]) -> list[str]:
    """Of all names in a file those of the weights, without their scales'."""
    return [n for n in stored if not (n.endswith(SCALE) and n.removesuffix(SCALE) in stored)]


def _is_matrix(weight: Tensor) -> bool:
    return weight.ndim == 2 and weight.shape[1] >= LEAST
