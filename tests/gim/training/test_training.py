"""Whole pretrainings and distillations: what they learn, resuming, several processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from gim.causal.model import load_causal
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.training.distill import distill
from gim.training.loop import make_accelerator, train
from gim.training.pretrain import pretrain
from gim.training.settings import Distillation, Optimisation, Pretraining
from tests.helpers.training import distillation, settings_of, weights_of


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


def test_an_encoder_learns_to_foretell_the_teachers_inner_states(folder, teacher):
    values = distillation(folder, teacher, teacher_layer=1, losses={"states": 1.0})
    values["optimisation"] = folder["optimisation"] | {"steps": 60, "accumulation": 1}
    figures = distill(settings_of(values, Distillation))
    assert figures["validation_states"] < 0.8  # 1 for the mean
    encoder = Encoder.from_pretrained(values["out"])
    states = encoder.vectors("The key 7", [3, 7, 9], "states")
    assert states.shape == (3, 16) and states.std() > 0.1


@pytest.mark.parametrize(
    ("layer", "message"), [(None, "needs teacher_layer"), (9, "layers 0 .the embedding. to")]
)
def test_a_layer_that_cannot_be_foretold_is_refused(folder, teacher, layer, message):
    values = distillation(folder, teacher, teacher_layer=layer, losses={"states": 1.0})
    with pytest.raises(InputError, match=message):
        distill(settings_of(values, Distillation))
    assert not Path(values["out"]).exists()


def test_training_goes_into_ones_own_folder_again_and_into_nobody_elses(folder):
    folder["optimisation"] |= {"steps": 2}
    first = pretrain(settings_of(folder))
    assert pretrain(settings_of(folder)) == first, "resumed after its last step"
    values = distillation(folder, folder["out"])
    for _ in range(2):
        distill(settings_of(values, Distillation))
        shutil.rmtree(values["out"] + ".training")
    for train_into, kind in ((pretrain, Pretraining), (distill, Distillation)):
        thesis = Path(folder["out"]).with_name(f"thesis-{kind.__name__}")
        thesis.mkdir()
        (thesis / "chapter.tex").write_text("ten years")
        base = folder if kind is Pretraining else values
        with pytest.raises(InputError, match="was not made by gim"):
            train_into(settings_of(base, kind, out=str(thesis)))
        assert not thesis.with_name(f"{thesis.name}.training").exists(), "it is said first"
        assert (thesis / "chapter.tex").is_file()


def test_an_encoder_does_not_replace_its_teacher(folder, teacher):
    with pytest.raises(InputError, match="the teacher's folder"):
        distill(settings_of(distillation(folder, teacher, out=teacher), Distillation))


RUN = """
import sys
from gim.training.distill import distill
from gim.training.reading import read_settings
from gim.training.settings import Distillation
distill(read_settings(sys.argv[1], Distillation))
"""


def test_a_killed_run_resumes_to_the_same_weights(folder, teacher, tmp_path):
    """Killed (SIGKILL) at a moment that differs from run to run; both runs end alike."""
    values = distillation(folder, teacher, storage="float32")
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
    values = distillation(folder, teacher, storage="float32")
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
