"""Distil a teacher's next-token similarities into an encoder (the Fuzzy Matching Model).

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2. In every batch some positions
(queries) are compared with others (candidates): the encoder learns which candidate is the teacher's
nearest, and the shape of the teacher's similarities over all of them.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor, nn

from gim.encoder.encoder import Encoder
from gim.encoder.stream import Output
from gim.errors import InputError
from gim.evaluation.retrieval import retrieval_scores
from gim.files import check_replaceable, write_json
from gim.text.hub import revision_of
from gim.text.tokenizer import load_tokenizer
from gim.training.lessons import Lesson, Lessons, load_teacher, make_lessons
from gim.training.loop import Losses, make_accelerator, origin, train
from gim.training.losses import distillation_losses, induction_loss
from gim.training.settings import Distillation
from gim.training.teacher import Teacher, distances
from gim.training.tokens import token_files

VALIDATION_BATCHES = 4
VALIDATION_QUERIES, VALIDATION_CANDIDATES = 128, 512
SHIPPED = "shipped"  # the name of the package's encoder in settings
FAINT = -4.0  # bias of a distance that was not seen before, in units of the softmax
SPREAD = 0.5  # standard deviation of embeddings taken from a teacher
SCALE_BATCHES = 4  # text in which the scale of inner states is measured


class Pupil(nn.Module):
    """An encoder that says all it can in one pass."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor) -> dict[Output, Tensor]:
        """Every output of a batch of sequences."""
        trunk, outputs = self.encoder.trunk(ids), get_args(Output)
        return {name: self.encoder.say(trunk, name) for name in outputs if self.encoder.size(name)}


class _Distiller:
    """Ties settings, lessons and encoder together."""

    def __init__(self, settings: Distillation, pupil: Pupil, lessons: dict[str, Lessons]) -> None:
        self.settings, self.pupil, self.lessons = settings, pupil, lessons
        self.scale = self._inner_scale() if settings.losses.states else None

    def _inner_scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the teacher's inner states in some training text."""
        size = self.settings.optimisation.batch
        drawn = [
            self.lessons["train"].draw(number, size, 1, 1).states.inner
            for number in range(SCALE_BATCHES)
        ]
        inner = torch.cat([part for part in drawn if part is not None]).float()
        return inner.mean(0), inner.std(0).clamp(min=torch.finfo(torch.float16).tiny)

    def _inner(self, said: Tensor, lesson: Lesson) -> tuple[Tensor, Tensor] | None:
        inner = lesson.states.inner
        if self.scale is None or inner is None:
            return None
        mean, spread = self.scale
        return ((inner.float() - mean) / spread).to(said.device), said

    def _losses(self, model: nn.Module, lesson: Lesson) -> tuple[Losses, Tensor, Tensor]:
        """Losses of a lesson, with the similarities of encoder and teacher."""
        device = self.pupil.encoder.embed.weight.device
        said = model(lesson.ids.to(device))
        with torch.autocast(device.type, enabled=False):  # similarities lie close to one another
            return self._compare(said, lesson)

    def _compare(self, said: dict[Output, Tensor], lesson: Lesson) -> tuple[Losses, Tensor, Tensor]:
        settings, n, every = self.settings, lesson.queries, said["vectors"].float()
        rows, columns = (
            torch.from_numpy(at).to(every.device) for at in (lesson.rows, lesson.columns)
        )
        vectors, states = every[rows, columns][: len(lesson.states.last)], lesson.states.last
        student = (vectors[:n] @ vectors[n:].T - 1) / settings.encoder.temperature
        apart = distances(lesson.head, states[:n], states[n:], settings.distance, settings.chunk)
        teacher = -apart.to(every.device) / settings.distance_temperature
        induction = self._induction(every, lesson.following.to(every.device))
        inner = self._inner(said["states"][rows, columns], lesson) if "states" in said else None
        losses = distillation_losses(student, teacher, induction, settings.losses, inner)
        return losses, student, teacher

    def _induction(self, vectors: Tensor, following: Tensor) -> Tensor:
        """The loss of positions with enough context, within each text."""
        together = min(len(vectors), self.settings.data.together)
        whole = len(vectors) // together * together
        vectors, following = (
            values[:whole, self.settings.first :].unflatten(0, (-1, together)).flatten(1, 2)
            for values in (vectors, following)
        )
        return induction_loss(vectors, following, self.settings.encoder.temperature)

    def losses(self, model: nn.Module, number: int) -> Losses:
        settings = self.settings
        size = settings.optimisation.batch
        lesson = self.lessons["train"].draw(number, size, settings.queries, settings.candidates)
        return self._losses(model, lesson)[0]

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Retrieval of the teacher's nearest among 512, and the losses, on held-out text."""
        settings = self.settings
        queries, candidates = VALIDATION_QUERIES, VALIDATION_CANDIDATES
        batch = -(-2 * (queries + candidates) // (settings.data.length - settings.first))
        found: dict[str, list[float]] = {}
        for number in range(VALIDATION_BATCHES):
            lesson = self.lessons["validation"].draw(number, batch, queries, candidates)
            losses, student, teacher = self._losses(self.pupil, lesson)
            for name, value in losses.items():
                found.setdefault(name, []).append(value.item())
            for name, values in retrieval_scores(student.cpu(), -teacher.cpu()).items():
                found.setdefault(name, []).append(float(values.mean()))
        return {f"validation_{name}": float(np.mean(values)) for name, values in found.items()}


def initial_embeddings(teacher: Teacher, width: int) -> Tensor:
    """The teacher's input embeddings as ``width`` principal components.

    Where tokenizers differ, a token of the student begins as the mean of those that the teacher
    splits its text into.

    Returns
    -------
    weight : float tensor of shape (vocabulary, width)
    """
    weight = teacher.model.get_input_embeddings().weight.detach().float().cpu()
    if not teacher.same:
        weight = torch.stack([weight[ids].mean(0) for ids in _split_tokens(teacher)])
    centred = weight - weight.mean(0)
    if centred.shape[1] != width:
        axes = torch.linalg.svd(centred.T @ centred)[2]
        centred = centred @ axes[:width].T
        if centred.shape[1] < width:
            spare = torch.zeros(len(centred), width - centred.shape[1])
            centred = torch.cat([centred, spare], 1)
    return centred * (SPREAD / centred.std())


def _split_tokens(teacher: Teacher) -> Iterator[list[int]]:
    """The teacher's tokens of each of the student's; its first one where there are none."""
    for token in range(teacher.student.vocab_size):
        yield teacher.tokenizer.encode(teacher.student.decode([token])).tolist() or [0]


def _start(encoder: Encoder, settings: Distillation, teacher: Teacher) -> None:
    """Give a fresh encoder the teacher's embeddings, to which its layers add nothing yet.

    Layers at random would drown what the teacher knows of each token: after 300 steps the silent
    ones foretell 26 % of the variance of SmolLM2's states, random ones on faint embeddings 22 %.
    """
    start = initial_embeddings(teacher, settings.encoder.width)
    with torch.no_grad():
        encoder.embed.weight.copy_(start[: len(encoder.embed.weight)])
        encoder.silence()


def take_weights(encoder: Encoder, source: str) -> None:
    """Give a fresh encoder the weights of a finished one; distances beyond its windows begin faint.

    Raises
    ------
    InputError
        For an encoder of another shape or tokenizer.
    """
    finished = Encoder.from_pretrained(None if source == SHIPPED else source)
    if finished.tokenizer.fingerprint != encoder.tokenizer.fingerprint:
        raise InputError(f"begin_from {source}: its tokenizer is not this encoder's; name another")
    known = finished.state_dict()
    with torch.no_grad():
        for name, own in encoder.state_dict().items():
            if name not in known:  # what the finished one was not taught
                continue
            old = known[name].to(own)
            if name.endswith((".bias", ".distance")) and own.ndim == old.ndim > 1:
                own[len(old) :] = FAINT if name.endswith(".bias") else 0.0
                own = own[: len(old)]
            if own.shape != old.shape:
                raise InputError(
                    f"begin_from {source}: {name} has the shape {tuple(old.shape)}, not "
                    f"{tuple(own.shape)}; give `encoder` its shape, or a wider window"
                )
            own.copy_(old)


def _state_dim(settings: Distillation, lessons: Lessons) -> int:
    """Numbers of a teacher's inner state, 0 where the encoder is not taught them."""
    if not settings.losses.states:
        return 0
    inner = lessons.draw(0, 1, 1, 1).states.inner
    return 0 if inner is None else inner.shape[1]


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
    if settings.losses.states and settings.teacher_layer is None:
        raise InputError("losses.states needs teacher_layer, the layer whose states are foretold")
    if Path(settings.out).resolve() == Path(settings.teacher).resolve():
        raise InputError(f"out {settings.out} is the teacher's folder, which it would replace")
    check_replaceable(settings.out)
    accelerator = make_accelerator(settings.optimisation)
    tokenizer = load_tokenizer(settings.tokenizer)
    with accelerator.main_process_first():
        files = token_files(settings.data, tokenizer, settings.seed, progress=True)
    ask = cache(partial(load_teacher, settings, tokenizer, str(accelerator.device)))
    with accelerator.main_process_first():
        lessons = make_lessons(settings, tokenizer, ask, files)
    shape = asdict(settings.encoder) | {"state_dim": _state_dim(settings, lessons["train"])}
    encoder = Encoder.create(tokenizer, settings.seed, **shape)
    if settings.initial_embeddings:
        _start(encoder, settings, ask())
    if settings.begin_from:
        take_weights(encoder, settings.begin_from)
    distiller = _Distiller(settings, pupil := Pupil(encoder), lessons)
    describe = {k: v for k, v in asdict(settings).items() if k != "out"}
    train(
        pupil,
        distiller.losses,
        settings.optimisation,
        Path(f"{settings.out}.training"),
        describe=describe,
        validate=distiller.validate,
        accelerator=accelerator,
    )
    encoder.eval().round_to(settings.storage)  # what is judged is what is saved
    figures = distiller.validate()
    if accelerator.is_main_process:
        encoder.save_pretrained(settings.out, settings.storage)
        origins = origin() | {"teacher_revision": revision_of(settings.teacher)}
        write_json(Path(settings.out) / "training.json", describe | origins | {"figures": figures})
    return figures
