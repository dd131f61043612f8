"""Options that several commands share, and what they mean."""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gim.errors import InputError


def positive(value: str) -> int:
    """A whole number from 1 on."""
    return _at_least(1, value)


def natural(value: str) -> int:
    """A whole number from 0 on."""
    return _at_least(0, value)


def _at_least(least: int, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{value!r} is no whole number from {least} on")
    return number


def above_zero(value: str) -> float:
    """A finite number above 0."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{value!r} is no finite number above 0")
    return number


def add_model(parser: argparse.ArgumentParser, tau: bool = True, index: bool = True) -> None:
    """Options that describe a GIM."""
    parser.add_argument("--tokenizer", default=None, help="path or name (default: the shipped one)")
    if index:
        parser.add_argument("--index", nargs="*", default=[], help="indexes of reference corpora")
    parser.add_argument(
        "--encoder",
        default=None,
        help="directory (default: the shipped one), or none",
    )
    parser.add_argument("--context", type=positive, default=1024, help="tokens of context")
    parser.add_argument("--device", default="cpu")
    if tau:
        parser.add_argument(
            "--tau",
            type=positive,
            default=None,
            help="default: of --weighted WEIGHTS, or 8 (published)",
        )


def add_weighted(parser: argparse.ArgumentParser, what: str) -> None:
    """The option that asks for a model that weighs."""
    parser.add_argument(
        "--weighted",
        nargs="?",
        const="shipped",
        default=None,
        metavar="WEIGHTS",
        help=f"{what} (weights: a file of `gim tune`, or the shipped ones)",
    )


def load_model(args: argparse.Namespace, index: Sequence[str] | None = None) -> Any:
    """The GIM that the options describe."""
    from gim.induction.model import GIM
    from gim.infinigram.query import InfiniGram
    from gim.text.tokenizer import load_tokenizer

    check_device(args.device)
    tokenizer = load_tokenizer(args.tokenizer)
    paths = args.index if index is None else index
    reference = InfiniGram(list(paths), tokenizer) if paths else None
    encoder = None
    if args.encoder != "none":
        from gim.encoder.encoder import Encoder

        encoder = Encoder.from_pretrained(args.encoder, args.device)
    return GIM(tokenizer, reference, encoder, _tau(args), args.context)


def _tau(args: argparse.Namespace) -> int:
    """What the command line says, or the file of weights, or the paper."""
    from gim.induction.model import TAU
    from gim.weighing.weights import load_tau

    tau, weights = getattr(args, "tau", None), getattr(args, "weighted", None)
    if tau is None and weights not in (None, "shipped"):
        tau = load_tau(weights)
    return TAU["gpt2"] if tau is None else tau


def load_weighted(args: argparse.Namespace, model: Any) -> Any:
    """The model that weighs what ``model``, a GIM, switches between; None if not asked for."""
    if args.weighted is None:
        return None
    from gim.weighing.model import WeightedGIM
    from gim.weighing.weights import load_weights

    weights = load_weights(None if args.weighted == "shipped" else args.weighted)
    return WeightedGIM(model.tokenizer, model.index, model.metric, weights, model.window)


def run_training(path: str, kind: type, train: Callable[[Any], dict[str, float]]) -> None:
    """Read the settings, train or continue, and print the figures."""
    from gim.training.reading import read_settings

    settings: Any = read_settings(path, kind)
    figures = train(settings)
    print(f"{settings.out}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))


def check_device(name: str) -> None:
    """Raise unless tensors can be on a device."""
    import torch

    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"--device {name}: cannot be used here ({said}); take cpu") from error


def text_of(value: str) -> str:
    """The value itself, or what is in the file after "@"."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{value[1:]}: cannot be read ({error})") from error


def own_tokenizer(model: str) -> str | None:
    """Where a model's own tokenizer is: with the model, or None for the shipped one."""
    from gim.text.tokenizer import load_tokenizer

    try:
        load_tokenizer(model)
    except InputError:
        return None
    return model
