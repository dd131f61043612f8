"""What a GPU does, in one script: ``python -m benchmarks.gpu --minutes 8``.

Fits blocks of voxels of a subject of full size (`benchmarks.full_size`) on the device, projects all
95,556, and holds a small block against the processor and against himalaya on the same device; then
how many states of a language model, positions of an encoder and steps of a distillation it makes a
second. Language models have random weights: their speed is that of real ones. What the minutes do
not suffice for is left out, and the record says so. With ``--toy`` all is tiny, for any machine:
``--device cpu:0`` is PyTorch on the processor.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.common import REFERENCE, execute, write
from benchmarks.full_size import ALPHAS, STORY, VOXELS, make_design, make_responses
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.files import write_text
from gim.text.tokenizer import load_tokenizer
from gim.training.distill import distill
from gim.training.settings import Data, Distillation, EncoderShape, Optimisation
from pipeline.fit.cross_validation import fit_block, make_solver
from pipeline.fit.design import Design
from pipeline.fit.grams import DesignGrams
from pipeline.fit.himalaya_solver import HimalayaSolver
from pipeline.fit.options import band_scalings, training_folds
from pipeline.fit.pooling import reference_voxels
from pipeline.fit.regression import Regression

EQUAL = 1e-4  # in r, of the device and the processor
FOLDS = 5
TOKENIZER = str(files("gim") / "data" / "tokenizer.json")  # the shipped one
WORDS = ("the", "a", "house", "of", "tree", "went", "to", "see", "what", "we", "had", "said")


@dataclass(frozen=True)
class Size:
    """How large everything is.

    Parameters
    ----------
    rows, shrink, blocks
        Of the subject: rows, what columns are divided by, voxels of each block.
    small : (int, int, int)
        The same of the block that the processor fits, too.
    scalings : int
        That himalaya tries.
    words : int
        That the language model reads.
    model : (int, int, int)
        Its width, layers and heads.
    encoder : EncoderShape
        Of the encoder.
    batch, steps : int
        Of the distillation.
    """

    rows: int = 34_000
    shrink: int = 1
    blocks: tuple[int, ...] = (1024, 8192)
    small: tuple[int, int, int] = (5100, 4, 256)
    scalings: int = 20
    words: int = 20_000
    model: tuple[int, int, int] = (768, 12, 12)
    encoder: EncoderShape = field(default_factory=EncoderShape)
    batch: int = 16
    steps: int = 30


TOY = Size(
    rows=5 * STORY,
    shrink=100,
    blocks=(6, 12),
    small=(5 * STORY, 100, 8),
    scalings=2,
    words=60,
    model=(16, 2, 2),
    encoder=EncoderShape(width=16, layers=1, heads=2, window=4, dim=8),
    batch=2,
    steps=2,
)


def problem(rows: int, shrink: int) -> tuple[Design, dict[str, int]]:
    """A design in the shape of a subject's, and the fold of each story."""
    design = make_design(rows, shrink)
    stories = list(design.bands[0].values)
    return design, training_folds(stories, dict.fromkeys(stories, STORY), FOLDS, seed=0)


def regression_of(
    design: Design, folds: dict[str, int], n_voxels: int, scalings: int = 1
) -> Regression:
    """Responses to fit."""
    return Regression(
        design,
        make_responses(design, n_voxels),
        folds,
        ALPHAS,
        scalings=band_scalings(len(design.bands), scalings, seed=0),
        reference=np.array(reference_voxels(n_voxels, REFERENCE)),
    )


def waited(device: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of `work()` until the device has done it, and what it gives."""
    started = time.perf_counter()
    result = work()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - started, result


def equality(size: Size, device: str) -> dict[str, Any]:
    """A small block on the device, on the processor, and by himalaya on the device.

    Raises
    ------
    InputError
        If r of the device is not that of the processor.
    """
    rows, shrink, n_voxels = size.small
    design, folds = problem(rows, shrink)
    regression = regression_of(design, folds, n_voxels, size.scalings)
    grams = DesignGrams.of(design, folds)
    found: dict[str, Any] = {"rows": rows, "columns": design.n_columns, "voxels": n_voxels}
    r = {}
    for name in ("cpu", device):
        solver = make_solver("gram", regression, name, grams)
        fit_seconds, fit = waited(name, lambda own=solver: fit_block(regression, own))
        found[f"{name}_seconds"], r[name] = fit_seconds, fit.r_train
    found["largest_difference_in_r"] = float(np.abs(r["cpu"] - r[device]).max())
    if found["largest_difference_in_r"] > EQUAL:
        raise InputError(f"{device} differs from the processor: {found}")
    himalaya = HimalayaSolver(regression, device.split(":")[0])
    his_seconds, his = waited(device, lambda: fit_block(regression, himalaya))
    ratio = his_seconds / found[f"{device}_seconds"]
    found |= {"himalaya_seconds": his_seconds, "ratio_himalaya": ratio}
    means = {"r": r[device].mean(), "himalaya_r": his.r_train.mean()}
    return found | {name: float(value) for name, value in means.items()}


def subject(size: Size, device: str) -> dict[str, Any]:
    """Blocks of a subject of full size, and the whole of it by the line through them."""
    design, folds = problem(size.rows, size.shrink)
    gram_seconds, grams = waited("cpu", lambda: DesignGrams.of(design, folds))
    points = []
    for n_voxels in size.blocks:
        regression = regression_of(design, folds, n_voxels)
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
        solver = make_solver("gram", regression, device, grams)
        fit_seconds, _ = waited(device, lambda r=regression, s=solver: fit_block(r, s))
        point = {"voxels": n_voxels, "seconds": fit_seconds}
        if device.startswith("cuda"):
            point["gigabytes"] = torch.cuda.max_memory_allocated(device) / 1e9
        points.append(point)
    (x0, y0), (x1, y1) = ((point["voxels"], point["seconds"]) for point in points[-2:])
    slope = (y1 - y0) / (x1 - x0)
    blocks = -(-VOXELS // x1)
    whole = gram_seconds + blocks * (y0 - slope * x0) + VOXELS * slope
    return {
        "rows": size.rows,
        "columns": design.n_columns,
        "gram_seconds": gram_seconds,
        "points": points,
        "projected_minutes_whole_subject": whole / 60,
    }


def spoken(n: int) -> list[str]:
    """Words that a story might have."""
    return np.random.default_rng(0).choice(WORDS, n).tolist()


def save_model(size: Size, folder: Path) -> None:
    """A language model of random weights, for the shipped tokenizer."""
    from transformers import GPT2Config, GPT2LMHeadModel

    width, layers, heads = size.model
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=load_tokenizer().vocab_size, n_embd=width, n_layer=layers, n_head=heads
    )
    GPT2LMHeadModel(config).save_pretrained(folder)


def states(size: Size, device: str) -> dict[str, Any]:
    """States of words of a language model a second."""
    from gim.causal.hidden import read_words
    from gim.causal.model import load_causal

    with TemporaryDirectory() as folder:
        save_model(size, Path(folder))
        model = load_causal(folder, device)
    words, tokenizer = spoken(size.words), load_tokenizer()
    read_words(model, tokenizer, words[:20], [1])
    passed, _ = waited(device, lambda: read_words(model, tokenizer, words, [1], step=100))
    return {"model": list(size.model), "words": len(words), "states_a_second": len(words) / passed}


def positions(size: Size, device: str) -> dict[str, Any]:
    """Positions of the shipped encoder a second."""
    encoder = Encoder.from_pretrained(None, device)
    ids = torch.randint(0, encoder.config.vocab_size, (size.batch, size.words // 10), device=device)
    with torch.inference_mode():
        encoder(ids)
        passed, _ = waited(device, lambda: encoder(ids))
    return {"positions_a_second": ids.numel() / passed}


def training(size: Size, device: str) -> dict[str, Any]:
    """Steps of a distillation a second, its first ones and its loading left out."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        document = json.dumps({"text": " ".join(spoken(1000))}) + "\n"
        write_text(folder / "corpus.jsonl", 20 * document)
        save_model(size, folder / "teacher")

        def run(steps: int) -> None:
            distill(
                Distillation(
                    out=str(folder / f"encoder{steps}"),
                    data=Data(
                        [str(folder / "corpus.jsonl")], 64, hold_out=5, cache=str(folder / "tokens")
                    ),
                    teacher=str(folder / "teacher"),
                    teacher_tokenizer=TOKENIZER,
                    queries=size.batch,
                    candidates=4 * size.batch,
                    encoder=size.encoder,
                    optimisation=Optimisation(steps=steps, batch=size.batch, warmup=1),
                )
            )

        few, many = (waited(device, lambda n=n: run(n))[0] for n in (1, 1 + size.steps))
    return {"batch": size.batch, "steps_a_second": size.steps / max(many - few, 1e-9)}


PARTS = {
    "equality": equality,
    "states": states,
    "positions": positions,
    "training": training,
    "subject": subject,
}


def measure(size: Size, device: str, minutes: float) -> dict[str, Any]:
    """All parts that there is time for; the others are named in `left_out`."""
    begin, found, left_out = time.monotonic(), {}, []
    for name, part in PARTS.items():
        if time.monotonic() - begin > 60 * minutes:
            left_out.append(name)
        else:
            found[name] = part(size, device)
            print(name, found[name], flush=True)
    return found | {"left_out": left_out}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=8, help="after which no part is begun")
    parser.add_argument("--toy", action="store_true")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "PyTorch sees no GPU. Remedy: `python -m benchmarks.gpu --device cpu --toy`"
        )
    on = (
        torch.cuda.get_device_name(given.device) if given.device.startswith("cuda") else "processor"
    )
    write(
        "gpu_toy" if given.toy else "gpu",
        "fits, states, positions and steps of distillation on a device",
        "the same fit on the processor, and himalaya's on the device",
        device=on,
        **measure(TOY if given.toy else Size(), given.device, given.minutes),
    )


if __name__ == "__main__":
    execute(main)
