"""Distil a teacher's next-token similarities into an encoder (the Fuzzy Matching Model).

Kim, Mantena et al. 2025 (arXiv 2411.00066), section 3.2. In every batch some positions
(queries) are compared with others (candidates): the encoder learns which candidate is the teacher's
nearest, and the shape of the teacher's similarities over all of them.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gim.causal.model import load_causal
from gim.causal.shape import vocabulary_size
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.evaluation.retrieval import retrieval_scores
from gim.files import check_replaceable, write_json
from gim.text.hub import revision_of
from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.training.loop import Losses, make_accelerator, origin, train
from gim.training.losses import distillation_losses
from gim.training.settings import Distillation
from gim.training.teacher import Teacher
from gim.training.tokens import TokenFile, token_files

VALIDATION_BATCHES = 4
VALIDATION_QUERIES, VALIDATION_CANDIDATES = 128, 512


@dataclass(frozen=True)
class _Pairs:
    """Positions of a batch that are compared, and what follows them."""

    ids: Tensor  # (batch, length)
    rows: Tensor  # (queries + candidates,)
    columns: Tensor
    following: Tensor


def draw_pairs(
    tokens: TokenFile,
    number: int,
    batch: int,
    settings: Distillation,
    queries: int,
    candidates: int,
) -> _Pairs:
    """Sequences and positions of batch ``number``; they depend on it and the seed alone."""
    length, seed = settings.data.length, settings.seed
    ids = torch.from_numpy(tokens.batch(number, batch, length, seed, settings.data.together))
    width = length - settings.first
    chosen = np.random.default_rng([seed, number, 1]).permutation(batch * width)
    chosen = chosen[: queries + candidates]
    rows = torch.from_numpy(chosen // width)
    columns = torch.from_numpy(settings.first + chosen % width)
    return _Pairs(ids[:, :-1], rows, columns, ids[rows, columns + 1])


class _Distiller:
    """Ties settings, teacher, encoder and tokens together."""

    def __init__(
        self,
        settings: Distillation,
        teacher: Teacher,
        encoder: Encoder,
        files: dict[str, TokenFile],
    ) -> None:
        self.settings, self.teacher, self.encoder, self.files = settings, teacher, encoder, files
        size = settings.optimisation.batch * (settings.data.length - settings.first)
        if settings.queries + settings.candidates > size:
            raise InputError(
                f"queries {settings.queries} + candidates {settings.candidates} exceed the {size} "
                "positions of a batch; raise optimisation.batch or data.length"
            )

    def _compare(self, model: nn.Module, pairs: _Pairs, queries: int) -> tuple[Tensor, Tensor]:
        """The first two arguments of `distillation_losses`."""
        settings = self.settings
        device = self.encoder.embed.weight.device
        states = self.teacher.states(pairs.ids, pairs.rows, pairs.columns)
        apart = self.teacher.distances(
            states[:queries], states[queries:], settings.distance, settings.chunk
        )
        vectors = model(pairs.ids.to(device))[pairs.rows.to(device), pairs.columns.to(device)]
        return (
            (vectors @ vectors.T - 1) / settings.encoder.temperature,
            -apart.to(device) / settings.distance_temperature,
        )

    def losses(self, model: nn.Module, number: int) -> Losses:
        settings = self.settings
        pairs = draw_pairs(
            self.files["train"],
            number,
            settings.optimisation.batch,
            settings,
            settings.queries,
            settings.candidates,
        )
        student, teacher = self._compare(model, pairs, settings.queries)
        following = pairs.following.to(student.device)
        return distillation_losses(student, teacher, following, settings.losses)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Retrieval of the teacher's nearest among 512, and the losses, on held-out text."""
        settings = self.settings
        queries, candidates = VALIDATION_QUERIES, VALIDATION_CANDIDATES
        batch = -(-2 * (queries + candidates) // (settings.data.length - settings.first))
        found: dict[str, list[float]] = {}
        for number in range(VALIDATION_BATCHES):
            pairs = draw_pairs(
                self.files["validation"], number, batch, settings, queries, candidates
            )
            student, teacher = self._compare(self.encoder, pairs, queries)
            following = pairs.following.to(student.device)
            losses = distillation_losses(student, teacher, following, settings.losses)
            for name, value in losses.items():
                found.setdefault(name, []).append(value.item())
            judged = retrieval_scores(student[:queries, queries:].cpu(), -teacher.cpu())
            for name, values in judged.items():
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


def _teacher(settings: Distillation, student: Tokenizer, device: Any) -> Teacher:
    model = load_causal(settings.teacher, str(device))
    source = settings.teacher_tokenizer or settings.teacher
    tokenizer = load_tokenizer(source)
    if tokenizer.vocab_size > (n_known := vocabulary_size(model)):
        raise InputError(
            f"{source}: {tokenizer.vocab_size} tokens, but {settings.teacher} knows "
            f"{n_known}; give its own tokenizer as teacher_tokenizer"
        )
    return Teacher(model, tokenizer, student, settings.data.length)


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
    teacher = _teacher(settings, tokenizer, accelerator.device)
    encoder = Encoder.create(tokenizer, settings.seed, **asdict(settings.encoder))
    if settings.initial_embeddings:
        if not teacher.same:
            raise InputError("initial_embeddings needs a teacher with the encoder's tokenizer")
        start = initial_embeddings(teacher.model, settings.encoder.width)
        with torch.no_grad():
            encoder.embed.weight.copy_(start[: len(encoder.embed.weight)])
    with accelerator.main_process_first():
        files = token_files(settings.data, tokenizer, settings.seed, progress=True)
    distiller = _Distiller(settings, teacher, encoder, files)
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
