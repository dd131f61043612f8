"""Training refuses bad settings, files and checkpoints with one clear error."""

from pathlib import Path

import pytest

from gim.errors import InputError
from gim.training.distill import distill
from gim.training.pretrain import pretrain
from gim.training.reading import read_settings
from gim.training.settings import Distillation, Pretraining
from tests.helpers.training import distillation, settings_of


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
    with pytest.raises(InputError, match="no such folder"):
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
