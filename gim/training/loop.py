"""The training loop, on one machine or many: `accelerate` moves the data, this file counts steps.

Resuming is exact: a batch, and every random draw of a step, depends on the seed and the step's
number alone, and a checkpoint holds the weights, the optimizer's state and the step.
"""

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from gim.errors import InputError
from gim.files import write_json, write_text
from gim.provenance import commit, versions
from gim.training.settings import Optimisation

PACKAGES = ("accelerate", "gim-encoding", "numpy", "tokenizers", "torch", "transformers")

Losses = dict[str, Tensor]  # "loss" is minimised, the others are reported


def make_accelerator(settings: Optimisation) -> Accelerator:
    """What moves data and gradients: GPUs where there are any, else one or more CPU processes."""
    cpu = not torch.accelerator.is_available()  # without it, processes on CPUs would not unite
    return Accelerator(mixed_precision=settings.precision, cpu=cpu)


def origin() -> dict[str, Any]:
    """What a trained model's settings are not: the code and the packages that trained it."""
    return {"commit": commit(), "versions": versions(PACKAGES)}


def learning_rate(step: int, settings: Optimisation) -> float:
    """Linear warm-up, then a cosine from ``rate`` to a tenth of it."""
    if step < settings.warmup:
        return settings.rate * (step + 1) / settings.warmup
    done = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.rate * (0.55 + 0.45 * math.cos(math.pi * min(1.0, done)))


def train(
    model: nn.Module,
    losses: Callable[[nn.Module, int], Losses],
    settings: Optimisation,
    out: Path,
    *,
    describe: dict[str, Any],
    validate: Callable[[], dict[str, float]],
    accelerator: Accelerator,
) -> None:
    """Train ``model`` in place, from the newest checkpoint under ``out`` if there is one.

    Parameters
    ----------
    model : module
    losses : callable
        Of the wrapped model and the number of a batch; returns scalars, among them "loss".
        Numbers are unique over steps, accumulation and processes.
    settings : Optimisation
    out : path
        ``metrics.tsv`` and the checkpoints go there (and TensorBoard's files, where it is
        installed).
    describe : dict
        What the run depends on; a checkpoint of another description is refused.
    validate : callable
        Figures of the current model, computed at each checkpoint by the first process.
    accelerator : Accelerator
        Made by `make_accelerator`.

    Raises
    ------
    InputError
        When ``out`` holds a checkpoint of a run with other settings.
    """
    optimizer: Any = torch.optim.AdamW(
        _decayed(model, settings.weight_decay), settings.rate, betas=(0.9, 0.95)
    )
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    checkpoints = _Checkpoints(accelerator, out, describe)
    first = checkpoints.resume()
    log = _Log(out, first, accelerator.is_main_process)
    bar = tqdm(
        range(first, settings.steps),
        initial=first,
        total=settings.steps,
        disable=not (accelerator.is_main_process and sys.stderr.isatty()),
    )
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, settings)
        found: dict[str, float] = {}
        for part in range(settings.accumulation):
            number = step * settings.accumulation + part
            number = number * accelerator.num_processes + accelerator.process_index
            last = part == settings.accumulation - 1
            with _synchronised(accelerator, wrapped, last), accelerator.autocast():
                values = losses(wrapped, number)
                accelerator.backward(values["loss"] / settings.accumulation)
            for name, value in values.items():
                found[name] = found.get(name, 0.0) + value.item() / settings.accumulation
        if not math.isfinite(found["loss"]):
            raise InputError(
                f"{out}: the loss of step {step} is {found['loss']}; lower the learning rate, or "
                "use bf16 or full precision"
            )
        accelerator.clip_grad_norm_(wrapped.parameters(), settings.clip)
        optimizer.step()
        optimizer.zero_grad()
        log.add(found)
        done = step + 1
        if done % settings.checkpoint_every == 0 or done == settings.steps:
            figures = {}
            if accelerator.is_main_process:
                model.eval()
                figures = validate()
                model.train()
            log.write(done, learning_rate(step, settings), figures)
            checkpoints.save(done)
        elif done % settings.log_every == 0:
            log.write(done, learning_rate(step, settings), {})
    accelerator.wait_for_everyone()


def _decayed(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases, gains and position biases do not."""
    weights = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in weights if p.ndim == 2], "weight_decay": decay},
        {"params": [p for p in weights if p.ndim != 2], "weight_decay": 0.0},
    ]


def _synchronised(accelerator: Accelerator, model: nn.Module, last: bool) -> Any:
    """Gradients are exchanged between processes with the last part of a step only."""
    return nullcontext() if last else accelerator.no_sync(model)


class _Checkpoints:
    """``out/checkpoint-STEP``, complete or not there; the newest one is kept."""

    def __init__(self, accelerator: Accelerator, out: Path, describe: dict[str, Any]) -> None:
        self._accelerator, self._out, self._describe = accelerator, out, describe

    def _found(self) -> list[tuple[int, Path]]:
        paths = self._out.glob("checkpoint-*")
        return sorted((int(p.name.rsplit("-")[-1]), p) for p in paths if p.name[11:].isdigit())

    def resume(self) -> int:
        """Load the newest checkpoint; return the number of steps that it has seen."""
        found = self._found()
        if not found:
            return 0
        step, path = found[-1]
        about = json.loads((path / "run.json").read_text(encoding="utf-8"))
        for key in sorted({*about, *self._describe}):
            if about.get(key) != self._describe.get(key):
                raise InputError(
                    f"{path}: a checkpoint of another run ({key} was {about.get(key)!r}, is "
                    f"{self._describe.get(key)!r}); remove {self._out} or choose another out"
                )
        self._accelerator.load_state(str(path))
        return step

    def save(self, step: int) -> None:
        partial = self._out / "checkpoint.partial"
        if self._accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
        self._accelerator.wait_for_everyone()
        # Tied weights are kept twice: safetensors would warn of them each time.
        self._accelerator.save_state(str(partial), safe_serialization=False)
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process:
            write_json(partial / "run.json", self._describe)
            older = self._found()
            os.replace(partial, self._out / f"checkpoint-{step}")
            for _, path in older:
                shutil.rmtree(path)


class _Log:
    """``metrics.tsv`` (and TensorBoard, where installed); lines to stderr if it is no terminal."""

    def __init__(self, out: Path, first: int, active: bool) -> None:
        self._path, self._active = out / "metrics.tsv", active
        self._sums: dict[str, float] = {}
        self._count = 0
        self._start = time.perf_counter()
        self._board = _tensorboard(out) if active else None
        if active:
            out.mkdir(parents=True, exist_ok=True)
            self._forget_after(first)

    def _forget_after(self, first: int) -> None:
        """Drop the lines of steps that will be taken again."""
        if not self._path.is_file():
            write_text(self._path, "step\tmetric\tvalue\n")
            return
        head, *lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [
            line for line in lines if line.endswith("\n") and int(line.split("\t", 1)[0]) <= first
        ]
        write_text(self._path, "".join([head, *kept]))

    def add(self, found: dict[str, float]) -> None:
        for name, value in found.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1

    def write(self, step: int, rate: float, figures: dict[str, float]) -> None:
        values = {name: total / self._count for name, total in self._sums.items()}
        values |= {"learning_rate": rate} | figures
        self._sums, self._count = {}, 0
        if not self._active:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{step}\t{name}\t{value:.6g}\n" for name, value in values.items())
        for name, value in values.items():
            if self._board is not None:
                self._board.add_scalar(name, value, step)
        if not sys.stderr.isatty():
            seconds = time.perf_counter() - self._start
            line = " ".join(f"{name} {value:.4g}" for name, value in values.items())
            print(f"step {step} ({seconds:.0f} s): {line}", file=sys.stderr, flush=True)


def _tensorboard(out: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "tensorboard"))
