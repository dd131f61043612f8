"""How many of the teacher's neighbours could be found: ``python -m benchmarks.encoder_limit``.

Judged as `gim distill` judges an encoder, on the same held-out text: is the candidate that the
teacher finds nearest of 512 nearest for

- the teacher itself, where it sees the last few tokens of the text alone (sight);
- unit vectors made of the teacher's own states, by a map that is trained by the encoder's losses
  (form): what no encoder that learns these vectors should be expected to surpass by much;
- the encoder.

Takes what the teacher said from the states that `gim distill` keeps.
"""

import argparse
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from benchmarks.common import execute, write
from gim.encoder.encoder import Encoder
from gim.evaluation.retrieval import retrieval_scores
from gim.progress import progress_bar
from gim.text.tokenizer import load_tokenizer
from gim.training.distill import VALIDATION_BATCHES, VALIDATION_CANDIDATES, VALIDATION_QUERIES
from gim.training.lessons import Lesson, Lessons, load_teacher, make_lessons
from gim.training.losses import distillation_losses
from gim.training.reading import read_settings
from gim.training.settings import Distillation, Weights
from gim.training.teacher import Teacher, distances
from gim.training.tokens import token_files

SIGHTS = (16, 31, 61, 91)
MAPS = {"linear": 0, "two layers": 1152}  # hidden units
STATES: dict[str, Callable[[Lesson], Tensor]] = {
    "last": lambda lesson: lesson.states.last.float(),
    "inner": lambda lesson: _inner(lesson)[: len(lesson.states.last)].float(),
}
RATE, WARM = 2e-3, 10**6  # numbers of lessons from WARM on are not those that train
SCALE_LESSONS = 4
LOSSES = Weights(nearest=1.0, reverse_kl=1.0, induction=0.0, states=0.0)


def _inner(lesson: Lesson) -> Tensor:
    if lesson.states.inner is None:
        raise SystemExit("the teacher's inner states are not kept; set teacher_layer")
    return lesson.states.inner


def apart(settings: Distillation, lesson: Lesson, states: Tensor) -> Tensor:
    """The teacher's distances between queries and candidates, by some states of it there."""
    n = lesson.queries
    return distances(lesson.head, states[:n], states[n:], settings.distance, settings.chunk)


class Held:
    """Held-out lessons with the teacher's distances there."""

    def __init__(self, settings: Distillation, lessons: Lessons) -> None:
        self.settings = settings
        sizes = VALIDATION_QUERIES, VALIDATION_CANDIDATES
        batch = -(-2 * sum(sizes) // (settings.data.length - settings.first))
        self.lessons = [lessons.draw(n, batch, *sizes) for n in range(VALIDATION_BATCHES)]
        self.apart = [apart(settings, lesson, lesson.states.last) for lesson in self.lessons]

    def scores(self, similarity: Callable[[Lesson], Tensor]) -> dict[str, float]:
        """Retrieval by a similarity of queries and candidates."""
        pairs = zip(self.lessons, self.apart, strict=True)
        found = [retrieval_scores(similarity(lesson).cpu(), known.cpu()) for lesson, known in pairs]
        return {key: round(float(np.mean([f[key] for f in found])), 4) for key in found[0]}


def seen(teacher: Teacher, sight: int, lesson: Lesson) -> Tensor:
    """The teacher's last states where it sees the last ``sight`` tokens of the student alone."""
    states = []
    for row, column in zip(lesson.rows, lesson.columns, strict=True):
        ids = lesson.ids[row, max(0, column + 1 - sight) : column + 1].numpy()
        line = teacher.line(ids)
        states.append(teacher.states([line], np.zeros(1, np.int64), line.columns[-1:]).last)
    return torch.cat(states)[: len(lesson.states.last)]


class Map:
    """Unit vectors made of a teacher's states, trained by the losses of an encoder's vectors."""

    def __init__(
        self, settings: Distillation, states: str, hidden: int, some: list[Lesson]
    ) -> None:
        self.states, self.temperature = STATES[states], settings.encoder.temperature
        every = torch.cat([self.states(lesson) for lesson in some])
        self.mean, self.scale = every.mean(0), every.std(0)
        torch.manual_seed(settings.seed)
        n_in, dim = len(self.mean), settings.encoder.dim
        layers = [nn.Linear(n_in, hidden), nn.GELU(), nn.Linear(hidden, dim)]
        self.net = nn.Sequential(*(layers if hidden else [nn.Linear(n_in, dim)]))
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=RATE, weight_decay=0.01)

    def cosines(self, lesson: Lesson) -> Tensor:
        """Of queries and candidates."""
        states = (self.states(lesson) - self.mean) / self.scale
        vectors = nn.functional.normalize(self.net(states), dim=1)
        return vectors[: lesson.queries] @ vectors[lesson.queries :].T

    def learn(self, lesson: Lesson, teacher: Tensor) -> None:
        """One step."""
        student = (self.cosines(lesson) - 1) / self.temperature
        loss = distillation_losses(student, teacher, torch.zeros(()), LOSSES)["loss"]
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def train_maps(settings: Distillation, lessons: Lessons, steps: int) -> dict[str, Map]:
    """All maps, by the same lessons."""
    sizes, batch = (settings.queries, settings.candidates), settings.optimisation.batch
    some = [lessons.draw(WARM + n, batch, *sizes) for n in range(SCALE_LESSONS)]
    maps = {
        f"{states} states, {name}": Map(settings, states, hidden, some)
        for states in STATES
        for name, hidden in MAPS.items()
    }
    every = [OneCycleLR(one.optimiser, RATE, steps) for one in maps.values()]
    for number in progress_bar(range(steps), desc="maps", unit="step"):
        lesson = lessons.draw(number, batch, *sizes)
        teacher = -apart(settings, lesson, lesson.states.last) / settings.distance_temperature
        for one, schedule in zip(maps.values(), every, strict=True):
            one.learn(lesson, teacher)
            schedule.step()
    return maps


def of_encoder(encoder: Encoder) -> Callable[[Lesson], Tensor]:
    """Cosines of an encoder's vectors."""

    @torch.no_grad()
    def cosines(lesson: Lesson) -> Tensor:
        every = encoder.say(encoder.trunk(lesson.ids), "vectors").float()
        vectors = every[lesson.rows, lesson.columns][: len(lesson.states.last)]
        return vectors[: lesson.queries] @ vectors[lesson.queries :].T

    return cosines


def _of_teacher(held: Held, teacher: Teacher, sight: int, lesson: Lesson) -> Tensor:
    return -apart(held.settings, lesson, seen(teacher, sight, lesson))


def main() -> None:
    """Judge all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config/distill_smollm2.yaml")
    parser.add_argument("--encoder", help="folder of an encoder (default: the shipped one)")
    parser.add_argument("--steps", type=int, default=1500, help="that a map is trained")
    args = parser.parse_args()
    settings = read_settings(args.config, Distillation)
    tokenizer = load_tokenizer(settings.tokenizer)
    files = token_files(settings.data, tokenizer, settings.seed, progress=True)
    ask = cache(partial(load_teacher, settings, tokenizer, "cpu"))
    lessons = make_lessons(settings, tokenizer, ask, files)
    held = Held(settings, lessons["validation"])
    found: dict[str, Any] = {}

    def judge(name: str, similarity: Callable[[Lesson], Tensor]) -> None:
        started = time.process_time()
        found[name] = held.scores(similarity)
        print(name, found[name], f"{time.process_time() - started:.0f} CPU s", flush=True)

    judge("encoder", of_encoder(Encoder.from_pretrained(args.encoder).eval()))
    for name, one in train_maps(settings, lessons["train"], args.steps).items():
        judge(name, torch.no_grad()(one.cosines))
    for sight in SIGHTS:
        judge(f"teacher, {sight} tokens", partial(_of_teacher, held, ask(), sight))
    write(
        "encoder_limit",
        "the teacher's nearest of 512 on held-out text: recall@1, recall@5, Spearman correlation",
        "the shipped encoder" if args.encoder is None else args.encoder,
        seed=settings.seed,
        steps=args.steps,
        found=found,
    )


if __name__ == "__main__":
    execute(main)
