"""Distil a teacher's next-token similarities into an encoder (the Fuzzy Matching Model).

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2. In every batch some positions
(queries) are compared with others (candidates): the encoder learns which candidate is the teacher's
nearest, and the shape of the teacher's similarities over all of them.
"""

from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.evaluation.retrieval import retrieval_scores
from gim.files import check_replaceable, write_json
from gim.text.hub import revision_of
from gim.text.tokenizer import load_tokenizer
from gim.training.lessons import Lesson, Lessons, load_teacher, make_lessons
from gim.training.loop import Losses, make_accelerator, origin, train
from gim.training.losses import distillation_losses
from gim.training.settings import Distillation
from gim.training.teacher import distances
from gim.training.tokens import token_files

VALIDATION_BATCHES = 4
VALIDATION_QUERIES, VALIDATION_CANDIDATES = 128, 512


class _Distiller:
    """Ties settings, lessons and encoder together."""

    def __init__(
        self, settings: Distillation, encoder: Encoder, lessons: dict[str, Lessons]
    ) -> None:
        self.settings, self.encoder, self.lessons = settings, encoder, lessons

    def _compare(self, model: nn.Module, lesson: Lesson) -> tuple[Tensor, Tensor, Tensor]:
        """The first three arguments of `distillation_losses`."""
        settings = self.settings
        device = self.encoder.embed.weight.device
        n, states = lesson.queries, lesson.states
        apart = distances(lesson.head, states[:n], states[n:], settings.distance, settings.chunk)
        rows, columns = torch.from_numpy(lesson.rows), torch.from_numpy(lesson.columns)
        vectors = model(lesson.ids.to(device))[rows.to(device), columns.to(device)]
        return (
            (vectors @ vectors.T - 1) / settings.encoder.temperature,
            -apart.to(device) / settings.distance_temperature,
            lesson.following.to(device),
        )

    def losses(self, model: nn.Module, number: int) -> Losses:
        settings = self.settings
        size = settings.optimisation.batch
        lesson = self.lessons["train"].draw(number, size, settings.queries, settings.candidates)
        return distillation_losses(*self._compare(model, lesson), settings.losses)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Retrieval of the teacher's nearest among 512, and the losses, on held-out text."""
        settings = self.settings
        queries, candidates = VALIDATION_QUERIES, VALIDATION_CANDIDATES
        batch = -(-2 * (queries + candidates) // (settings.data.length - settings.first))
        found: dict[str, list[float]] = {}
        for number in range(VALIDATION_BATCHES):
            lesson = self.lessons["validation"].draw(number, batch, queries, candidates)
            compared = student, teacher, _ = self._compare(self.encoder, lesson)
            for name, value in distillation_losses(*compared, settings.losses).items():
                found.setdefault(name, []).append(value.item())
            n = lesson.queries
            for name, values in retrieval_scores(student[:n, n:].cpu(), -teacher.cpu()).items():
                found.setdefault(name, []).append(float(values.mean()))
        return {f"validation_{name}": float(np.mean(values)) for name, values in found.items()}


def initial_embeddings(teacher: Any, width: int) -> Tensor:
    """The teacher's input embeddings as ``width`` principal components, scaled like fresh ones.

    Returns
    -------
    weight : float tensor of shape (vocabulary, width)
    """
    weight = teacher.get_input_embeddings().weight.detach().float().cpu()
    centred = weight - weight.mean(0)
    if centred.shape[1] != width:
        axes = torch.linalg.svd(centred.T @ centred)[2]
        centred = centred @ axes[:width].T
        if centred.shape[1] < width:
            spare = torch.zeros(len(centred), width - centred.shape[1])
            centred = torch.cat([centred, spare], 1)
    return centred * (0.02 / centred.std())


def _start(encoder: Encoder, settings: Distillation, model: Any) -> None:
    """Give a fresh encoder the teacher's embeddings."""
    start = initial_embeddings(model, settings.encoder.width)
    with torch.no_grad():
        encoder.embed.weight.copy_(start[: len(encoder.embed.weight)])


def distill(settings: Distillation) -> dict[str, float]:
    """Train an encoder and save it under ``settings.out``.

    An interrupted run continues from ``out.training``, where the checkpoints and the metrics are.

    Returns
    -------
    figures : dict
        Validation losses, recall@1, recall@5 and Spearman correlation of the trained encoder.

    Raises
    ------
    InputError
        For settings that do not fit together, or a folder ``out`` that is not gim's to replace.
    """
    if Path(settings.out).resolve() == Path(settings.teacher).resolve():
        raise InputError(f"out {settings.out} is the teacher's folder, which it would replace")
    check_replaceable(settings.out)
    accelerator = make_accelerator(settings.optimisation)
    tokenizer = load_tokenizer(settings.tokenizer)
    with accelerator.main_process_first():
        files = token_files(settings.data, tokenizer, settings.seed, progress=True)
    ask = cache(partial(load_teacher, settings, tokenizer, str(accelerator.device)))
    encoder = Encoder.create(tokenizer, settings.seed, **asdict(settings.encoder))
    if settings.initial_embeddings:
        if not ask().same:
            raise InputError("initial_embeddings needs a teacher with the encoder's tokenizer")
        _start(encoder, settings, ask().model)
    with accelerator.main_process_first():
        lessons = make_lessons(settings, tokenizer, ask, files)
    distiller = _Distiller(settings, encoder, lessons)
    describe = {k: v for k, v in asdict(settings).items() if k != "out"}
    train(
        encoder,
        distiller.losses,
        settings.optimisation,
        Path(f"{settings.out}.training"),
        describe=describe,
        validate=distiller.validate,
        accelerator=accelerator,
    )
    encoder.eval()
    figures = distiller.validate()
    if accelerator.is_main_process:
        if settings.half:
            encoder.half()
        encoder.save_pretrained(settings.out)
        origins = origin() | {"teacher_revision": revision_of(settings.teacher)}
        write_json(Path(settings.out) / "training.json", describe | origins | {"figures": figures})
    return figures
