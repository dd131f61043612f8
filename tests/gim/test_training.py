"""Pretraining and distillation: data, losses against references, resuming, bad input."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from gim.causal import load_causal
from gim.encoder import Encoder
from gim.errors import InputError
from gim.teacher import TeacherMetric
from gim.tokenizer import Tokenizer, load_tokenizer
from gim.train_tokenizer import train as train_tokenizer
from gim.training.distill import distill, initial_embeddings
from gim.training.loop import learning_rate, make_accelerator, train
from gim.training.losses import distillation_losses
from gim.training.pretrain import LinearCrossEntropy, make_model, pretrain
from gim.training.reading import read_settings
from gim.training.settings import Data, Distillation, Optimisation, Pretraining, Shape, Weights
from gim.training.teacher import Teacher
from gim.training.tokens import plain, token_files


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Sixty documents in which every "key K" is followed by the same word."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("corpus") / "text.jsonl"
    with path.open("w") as file:
        for number in range(60):
            words = [f"The key {k} opens Door {k * 7 % 10}." for k in rng.integers(0, 10, 40)]
            file.write(json.dumps({"title": str(number), "text": " ".join(words)}) + "\n")
    return path


@pytest.fixture(scope="module")
def small(corpus) -> Tokenizer:
    """Three hundred tokens instead of 16,384."""
    path = corpus.with_name("tokenizer.json")
    train_tokenizer([str(corpus)], path, 300, 100_000)
    return load_tokenizer(str(path))


@pytest.fixture
def folder(tmp_path, corpus, small) -> dict:
    """Settings of a pretraining that takes a second."""
    return {
        "out": str(tmp_path / "teacher"),
        "tokenizer": str(corpus.with_name("tokenizer.json")),
        "data": {
            "corpora": [str(corpus)],
            "length": 70,
            "hold_out": 10,
            "cache": str(tmp_path / "tokens"),
        },
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 128},
        "optimisation": {
            "steps": 12,
            "batch": 4,
            "accumulation": 2,
            "rate": 0.01,
            "warmup": 2,
            "log_every": 1,
            "checkpoint_every": 4,
        },
    }


def settings_of(folder: dict, kind=Pretraining, **changes):
    path = Path(folder["out"]).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(folder | changes))
    return read_settings(path, kind)


@pytest.fixture
def teacher(tmp_path, small) -> str:
    """A random Llama, saved with its tokenizer."""
    tokenizer = small
    model = make_model(Shape(width=16, layers=1, heads=2, context=128), tokenizer.vocab_size, 0)
    path = tmp_path / "saved"
    model.save_pretrained(path)
    tokenizer.fast.save(str(path / "tokenizer.json"))
    return str(path)


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


# Data


def test_plain_text_looks_like_a_transcript():
    assert plain("Don't -- “stop”,\n  SHE_said.") == "don't stop she said"


def test_tokens_are_split_and_half_of_the_documents_are_plain(folder, corpus, small):
    tokenizer = small
    files = token_files(Data(**folder["data"]), tokenizer, seed=0)
    text = tokenizer.decode(files["train"].ids)
    documents = text.strip("\n").split("\n\n")
    assert len(documents) == 54 and len(tokenizer.decode(files["validation"].ids)) > 0
    lower = [document for document in documents if document == plain(document)]
    assert 15 < len(lower) < 40
    whole = [json.loads(line)["text"] for line in corpus.open()]
    assert set(documents) - set(lower) <= set(whole)
    held_out = tokenizer.decode(files["validation"].ids).strip("\n").split("\n\n")
    assert [plain(d) for d in held_out] == [plain(whole[i]) for i in range(9, 60, 10)]


def test_batches_depend_on_number_and_seed_alone(folder, small):
    ids = token_files(Data(**folder["data"]), small, seed=0)["train"]
    assert np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(5, 3, 20, seed=1))
    assert not np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(6, 3, 20, seed=1))
    assert not np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(5, 3, 20, seed=2))


def test_sequences_drawn_together_follow_one_another(folder, small):
    ids = token_files(Data(**folder["data"]), small, seed=0)["train"]
    batch = ids.batch(5, 5, 20, seed=1, together=3)
    assert batch.shape == (5, 21)
    text = " ".join(map(str, ids.ids))
    for group in (batch[:3], batch[3:]):
        line = [*group[:, :-1].ravel(), group[-1, -1]]
        assert " ".join(map(str, line)) in text


# Losses


def test_linear_cross_entropy_equals_pytorch():
    torch.manual_seed(0)
    hidden = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 5, dtype=torch.float64, requires_grad=True)
    goal = torch.randint(0, 11, (7,))
    torch.nn.functional.cross_entropy(hidden @ weight.T, goal).backward()
    wanted = hidden.grad.clone(), weight.grad.clone()
    hidden.grad = weight.grad = None
    loss = LinearCrossEntropy.apply(hidden, weight, goal, 3)
    loss.backward()
    assert loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(hidden @ weight.T, goal).item(), abs=1e-6
    )
    torch.testing.assert_close(hidden.grad, wanted[0])
    torch.testing.assert_close(weight.grad, wanted[1])


def test_losses_against_plain_definitions():
    rng = np.random.default_rng(0)
    student, teacher = rng.normal(size=(10, 10)), rng.normal(size=(4, 6))
    after = np.array([0, 1, 2, 0, 1, 2, 3, 0, 0, 1])  # 3 follows one position only
    found = distillation_losses(
        torch.tensor(student),
        torch.tensor(teacher),
        torch.tensor(after),
        Weights(nearest=2.0, reverse_kl=0.5, induction=3.0),
    )
    part = student[:4, 4:]
    s = np.exp(part) / np.exp(part).sum(1, keepdims=True)
    t = np.exp(teacher) / np.exp(teacher).sum(1, keepdims=True)
    nearest = np.mean([-np.log(s[i, t[i].argmax()]) for i in range(4)])
    reverse = np.mean([sum(s[i] * np.log(s[i] / t[i])) for i in range(4)])
    surprise = []
    for i in np.flatnonzero(after != 3):
        votes = np.exp(np.delete(student[i], i))
        surprise.append(-np.log(votes[np.delete(after, i) == after[i]].sum() / votes.sum()))
    induction = np.mean(surprise)
    assert found["nearest"].item() == pytest.approx(nearest)
    assert found["reverse_kl"].item() == pytest.approx(reverse)
    assert found["induction"].item() == pytest.approx(induction)
    assert found["loss"].item() == pytest.approx(2 * nearest + 0.5 * reverse + 3 * induction)


@pytest.mark.parametrize("kind", ["symmetric_kl", "jsd"])
def test_teacher_distances_equal_the_metric_in_chunks(teacher, small, kind):
    tokenizer = small
    wrapped = Teacher(load_causal(teacher), tokenizer, tokenizer)
    states = 20 * torch.randn(9, 16)
    found = wrapped.distances(states[:4], states[4:], kind, chunk=2)
    log_probs = wrapped.log_probs(states).numpy()
    metric = TeacherMetric(wrapped.model, tokenizer, kind, temperature=1.0)
    similarity = metric.similarity(log_probs[:4], log_probs[4:])
    np.testing.assert_allclose(torch.exp(-found), similarity, atol=1e-4)
    assert similarity.max() - similarity.min() > 0.1


def test_teacher_of_another_tokenizer_reads_the_text_anew():
    """States are those of the model on the re-tokenised prefix, never on the student's ids."""
    from tests.gim.conftest import number_tokenizer

    student, own = load_tokenizer(), number_tokenizer(50)
    model = make_model(Shape(width=16, layers=1, heads=2, context=32), 50, 1)
    wrapped = Teacher(model, own, student, window=3)
    ids = torch.tensor(np.stack([student.encode(" 7 12 33 4 9 41")[:6]]))
    columns = torch.tensor([1, 5])
    found = wrapped.states(ids, torch.zeros(2, dtype=torch.long), columns)
    for state, column in zip(found, columns.tolist(), strict=True):
        prefix = own.encode(student.decode(ids[0, : column + 1].tolist()))[-3:]
        wanted = model.base_model(torch.tensor(prefix)[None]).last_hidden_state[0, -1]
        torch.testing.assert_close(state, wanted)


def test_initial_embeddings_keep_the_geometry(teacher):
    model = load_causal(teacher)
    weight = model.get_input_embeddings().weight.detach()
    wide = initial_embeddings(model, 24)
    centred = (weight - weight.mean(0))[:50]
    wanted = torch.nn.functional.normalize(centred) @ torch.nn.functional.normalize(centred).T
    found = torch.nn.functional.normalize(wide[:50]) @ torch.nn.functional.normalize(wide[:50]).T
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    assert initial_embeddings(model, 8).shape == (len(weight), 8)


def test_learning_rate_follows_the_published_schedule():
    settings = Optimisation(steps=100, warmup=10, rate=1.0)
    rates = [learning_rate(step, settings) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == rates[10] == 1.0
    assert rates[100] == pytest.approx(0.1) and rates[55] == pytest.approx(0.55)
    assert all(a > b for a, b in pairwise(rates[10:]))


# Whole runs


def test_pretraining_learns_and_saves_a_model_that_loads(folder, small):
    figures = pretrain(settings_of(folder, optimisation=folder["optimisation"] | {"steps": 60}))
    assert figures["validation_perplexity"] < 30  # of 300 tokens
    model = load_causal(folder["out"])
    assert model.config.vocab_size == small.vocab_size
    about = json.loads((Path(folder["out"]) / "training.json").read_text())
    assert about["figures"] == figures and about["seed"] == 0


def test_distillation_finds_the_teachers_neighbours(folder):
    pretrain(settings_of(folder, optimisation=folder["optimisation"] | {"steps": 60}))
    values = distillation(folder, folder["out"])
    values["optimisation"] = folder["optimisation"] | {"steps": 1, "rate": 0.0}
    before = distill(settings_of(values, Distillation))
    values |= {"out": values["out"] + "2"}
    values["optimisation"] = folder["optimisation"] | {"steps": 60, "accumulation": 1}
    after = distill(settings_of(values, Distillation))
    assert after["validation_nearest"] < before["validation_nearest"] - 0.5
    assert after["validation_recall5"] > before["validation_recall5"] + 0.05
    assert after["validation_spearman"] > before["validation_spearman"] + 0.1
    encoder = Encoder.from_pretrained(values["out"])
    assert weights_of(values["out"])["embed.weight"].dtype == torch.float16
    assert encoder.vectors("The key", [3, 7]).shape == (2, 8)


RUN = """
import sys
from gim.training.distill import distill
from gim.training.reading import read_settings
from gim.training.settings import Distillation
distill(read_settings(sys.argv[1], Distillation))
"""


def test_a_killed_run_resumes_to_the_same_weights(folder, teacher, tmp_path):
    """Killed (SIGKILL) at a moment that differs from run to run; both runs end alike."""
    values = distillation(folder, teacher, half=False)
    values["optimisation"] = folder["optimisation"] | {"steps": 30, "checkpoint_every": 3}
    distill(settings_of(values, Distillation))
    killed = values | {"out": str(tmp_path / "killed")}
    settings_of(killed, Distillation)
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(RUN))
    command = [sys.executable, str(script), str(tmp_path / "killed.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ)
    metrics = Path(killed["out"] + ".training") / "metrics.tsv"
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        if metrics.is_file() and "\n7\t" in metrics.read_text():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    assert process.wait() == -signal.SIGKILL
    distill(settings_of(killed, Distillation))
    for name, weight in weights_of(values["out"]).items():
        assert torch.equal(weight, weights_of(killed["out"])[name]), name
    lines = [Path(f"{v['out']}.training/metrics.tsv").read_text() for v in (values, killed)]
    assert lines[0] == lines[1]


def test_accumulated_gradients_are_averaged_over_numbered_batches(tmp_path):
    model = torch.nn.Linear(1, 1, bias=False)
    numbers, gradients = [], []
    model.weight.register_hook(lambda gradient: gradients.append(gradient.item()))

    def losses(wrapped, number):
        numbers.append(number)
        return {"loss": wrapped(torch.tensor([[float(number)]])).sum()}

    settings = Optimisation(steps=3, accumulation=2, warmup=0, checkpoint_every=3, log_every=1)
    run = {"describe": {}, "validate": dict, "accelerator": make_accelerator(settings)}
    train(model, losses, settings, tmp_path, **run)
    assert numbers == list(range(6))
    assert gradients == [number / 2 for number in range(6)]


def test_two_processes_equal_one_with_twice_the_accumulation(folder, teacher, tmp_path):
    values = distillation(folder, teacher, half=False)
    values["optimisation"] = folder["optimisation"] | {"steps": 3, "accumulation": 4}
    distill(settings_of(values, Distillation))
    parallel = values | {"out": str(tmp_path / "parallel")}
    parallel["optimisation"] = values["optimisation"] | {"accumulation": 2}
    settings_of(parallel, Distillation)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = [*launch, "-m", "gim.cli", "distill", "--config", str(tmp_path / "parallel.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, weight in weights_of(values["out"]).items():
        found = weights_of(parallel["out"])[name]
        torch.testing.assert_close(found, weight, atol=1e-3, rtol=0, msg=name)


# Bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speed": 3}, "unknown key speed"),
        ({"data": {"corpora": "x.txt"}}, "data.corpora is 'x.txt'; it must be of type list"),
        ({"data": {}}, "data.corpora is missing"),
        ({"optimisation": {"steps": "many"}}, "optimisation.steps"),
        ({"optimisation": {"precision": "fp8"}}, "precision"),
        ({"model": {"family": "bert"}}, "model.family"),
        ({"seed": True}, "seed is True"),
        ({"model": {"width": 10, "heads": 4}}, "multiple of 2 x 4 heads"),
        ({"model": {"context": 32, "width": 16}}, "exceeds model.context"),
    ],
)
def test_wrong_settings_are_one_clear_error(folder, change, message):
    with pytest.raises(InputError, match=message):
        pretrain(settings_of(folder, **change))
    assert not Path(folder["out"]).exists()


def test_wrong_files_are_one_clear_error(folder, teacher, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "none.yaml", Pretraining)
    with pytest.raises(InputError, match="no such corpus file"):
        pretrain(settings_of(folder, data=folder["data"] | {"corpora": ["none.txt"]}))
    with pytest.raises(InputError, match="fewer than 1 sequences"):
        data = folder["data"] | {"length": 100_000}
        pretrain(settings_of(folder, data=data, model={"context": 200_000, "width": 16}))
    with pytest.raises(InputError, match="cannot be loaded"):
        distill(settings_of(distillation(folder, str(tmp_path / "none")), Distillation))
    with pytest.raises(InputError, match="exceed the"):
        distill(settings_of(distillation(folder, teacher, queries=4000), Distillation))


def test_a_checkpoint_of_another_run_is_refused(folder):
    steps = folder["optimisation"] | {"steps": 4}
    pretrain(settings_of(folder, optimisation=steps))
    with pytest.raises(InputError, match="a checkpoint of another run"):
        pretrain(settings_of(folder, optimisation=steps, seed=1))


def test_a_loss_that_is_not_finite_stops_the_run(folder):
    wild = folder["optimisation"] | {"rate": 1e30, "warmup": 0, "clip": 1e30}
    with pytest.raises(InputError, match="lower the learning rate"):
        pretrain(settings_of(folder, optimisation=wild))
