"""Settings of small pretrainings and distillations, and what they wrote."""

from pathlib import Path

import torch
import yaml

from gim.training.reading import read_settings
from gim.training.settings import Pretraining


def settings_of(folder: dict, kind=Pretraining, **changes):
    path = Path(folder["out"]).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(folder | changes))
    return read_settings(path, kind)


def distillation(folder: dict, teacher: str, **changes) -> dict:
    values = {k: v for k, v in folder.items() if k != "model"} | {
        "out": folder["out"].replace("teacher", "encoder"),
        "teacher": teacher,
        "encoder": {"width": 16, "layers": 2, "heads": 2, "window": 8, "dim": 8},
        "queries": 16,
        "candidates": 40,
    }
    return values | changes


def weights_of(path: str | Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(Path(path) / "model.safetensors")
