"""What each choice in distilling the encoder is worth: ``python -m benchmarks.encoder_ablation``.

Short runs of config/distill.yaml, each with one thing changed, from a teacher trained for a while
with config/pretrain.yaml, or of the configuration of a finished one:

    python -m benchmarks.encoder_ablation --config config/distill_smollm2.yaml --finished

Judged on the documents that training holds out (never on the dev sets): accuracy of fuzzy induction
there, as written and as plain words. A finished run is not repeated, so that an interrupted
benchmark goes on.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common import execute, write
from gim.encoder.encoder import Encoder
from gim.evaluation.evaluate import evaluate
from gim.evaluation.measures import summarise
from gim.files import write_json
from gim.induction.model import GIM
from gim.text.corpus import Document, read_documents
from gim.training.distill import distill
from gim.training.pretrain import pretrain
from gim.training.reading import read_settings
from gim.training.settings import Distillation, Optimisation, Pretraining
from gim.training.tokens import plain

POSITIONS = 300  # scored in each document
# Where the number of layers changes, windows do as well, so that as many tokens are seen. True JSD
# as the teacher's distance is left out: without a matrix product a step takes as long as sixty.
VARIANTS: dict[str, dict[str, Any]] = {
    "as configured": {},
    "2 layers": {"encoder": {"layers": 2}},
    "4 layers": {"encoder": {"layers": 4}},
    "6 layers": {"encoder": {"layers": 6}},
    "width 128": {"encoder": {"width": 128}},
    "width 192": {"encoder": {"width": 192}},
    "width 256": {"encoder": {"width": 256}},
    "window 8": {"encoder": {"window": 8}},
    "window 32": {"encoder": {"window": 32}},
    "T 0.05": {"encoder": {"temperature": 0.05}},
    "T 0.2": {"encoder": {"temperature": 0.2}},
    "no nearest": {"losses": {"nearest": 0.0}},
    "no reverse KL": {"losses": {"reverse_kl": 0.0}},
    "no induction": {"losses": {"induction": 0.0}},
    "induction alone": {"losses": {"nearest": 0.0, "reverse_kl": 0.0, "states": 0.0}},
    "induction 1": {"losses": {"induction": 1.0}},
    "window 8, T 0.05": {"encoder": {"window": 8, "temperature": 0.05}},
    "fresh embeddings": {"initial_embeddings": False},
    "no plain words": {"data": {"plain": 0.0}},
    "sequences apart": {"data": {"together": 1}},
}
# Where the configuration teaches its teacher's inner states.
OF_STATES: dict[str, dict[str, Any]] = {
    "no states": {"losses": {"states": 0.0}},
    "states 5": {"losses": {"states": 5.0}},
    "states alone": {"losses": {"nearest": 0.0, "reverse_kl": 0.0, "induction": 0.0}},
}


def variant(base: Distillation, changes: dict[str, Any], steps: int, out: Path) -> Distillation:
    """``base`` with some of its fields changed, and fewer steps."""
    fields = {
        key: replace(getattr(base, key), **value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    if "layers" in changes.get("encoder", {}):
        seen, layers = base.encoder.layers * (base.encoder.window - 1), changes["encoder"]["layers"]
        fields["encoder"] = replace(fields["encoder"], window=round(seen / layers) + 1)
    return replace(base, out=str(out), optimisation=shorter(base.optimisation, steps), **fields)


def changing(base: Distillation, variants: dict[str, dict[str, Any]]) -> list[str]:
    """Variants that are not what is configured anyway."""
    same = variant(base, {}, 1, Path(base.out))
    return [
        name
        for name, changes in variants.items()
        if not changes or variant(base, changes, 1, Path(base.out)) != same
    ]


def shorter(optimisation: Optimisation, steps: int) -> Optimisation:
    """The same schedule in fewer steps."""
    warmup = max(optimisation.warmup * steps // optimisation.steps, 20)
    every = max(steps // 4, 1)
    return replace(optimisation, steps=steps, warmup=warmup, checkpoint_every=every)


def make_teacher(config: str, steps: int, out: Path) -> dict[str, float]:
    """Train the teacher that all variants share, unless it is there; its held-out figures."""
    figures = out.with_name("teacher.json")
    if not figures.is_file():
        settings = read_settings(config, Pretraining)
        short = shorter(settings.optimisation, steps)
        write_json(figures, pretrain(replace(settings, out=str(out), optimisation=short)))
    return dict(json.loads(figures.read_text(encoding="utf-8")))


def held_out(settings: Distillation, as_plain: bool) -> Iterator[Document]:
    """The documents that training leaves to validation."""
    every = settings.data.hold_out
    for number, document in enumerate(read_documents(settings.data.corpora)):
        if number % every == every - 1:
            yield replace(document, text=plain(document.text)) if as_plain else document


def judge(settings: Distillation) -> dict[str, float]:
    """Strict accuracy of fuzzy induction, and of exact induction beside it."""
    encoder = Encoder.from_pretrained(settings.out)
    found: dict[str, float] = {}
    for name, as_plain in (("written", False), ("plain", True)):
        model = GIM(encoder.tokenizer, None, encoder)
        result = evaluate(
            held_out(settings, as_plain), model, stride=1, positions=POSITIONS, seed=settings.seed
        )
        accuracy = summarise(result).set_index("model")["acc_strict"]
        found |= {f"fuzzy_{name}": accuracy["fuzzy"], f"exact_{name}": accuracy["exact"]}
    return {key: float(value) for key, value in found.items()}


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config/distill.yaml")
    parser.add_argument("--teacher-config", default="config/pretrain.yaml")
    parser.add_argument(
        "--finished", action="store_true", help="take the configuration's teacher, train none"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--teacher-steps", type=int, default=1200)
    parser.add_argument("--work", type=Path, default=Path("results/encoder_ablation"))
    parser.add_argument("--only", nargs="*", choices=[*VARIANTS, *OF_STATES])
    args = parser.parse_args()
    base, figures_of_teacher = read_settings(args.config, Distillation), {}
    if not args.finished:
        teacher = args.work / "teacher"
        figures_of_teacher = make_teacher(args.teacher_config, args.teacher_steps, teacher)
        base = replace(base, teacher=str(teacher))
    label = f"{Path(args.config).stem}_" if args.finished else ""
    every = VARIANTS | OF_STATES
    rows = {}
    for name in args.only or changing(base, every if base.losses.states else VARIANTS):
        out = args.work / f"{label}{name}".replace(",", "").replace(" ", "-")
        figures = out.with_name(f"{out.name}.json")
        if not figures.is_file():
            settings = variant(base, every[name], args.steps, out)
            write_json(figures, {**distill(settings), **judge(settings)})
        rows[name] = json.loads(figures.read_text(encoding="utf-8"))
        print(name, {key: round(value, 4) for key, value in rows[name].items()})
    write(
        f"encoder_ablation_{label}{args.steps}",
        f"distillation of {args.steps} steps, one choice changed at a time",
        f"the settings of config/{Path(args.config).name}",
        teacher_steps=None if args.finished else args.teacher_steps,
        teacher=figures_of_teacher,
        variants=rows,
    )


if __name__ == "__main__":
    execute(main)
