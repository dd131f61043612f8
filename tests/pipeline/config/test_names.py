"""Names that reach paths and tables."""

from functools import partial

import pytest

from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from tests.helpers import configs
from tests.helpers.configs import BASIC

changed = partial(configs.changed, BASIC)


NO_NAMES = ["", "..", ".", ".a", "a/b", "/a", "a\\b", "{}", "{story}", "a\n", "\na", "a\tb", "a\0",
            "a\x85", "\ud800", " a", "a ", "x" * 81]  # fmt: skip


def with_name(place, name):
    """A configuration that gives something this name."""
    return {
        "run": lambda: changed(name=name),
        "training": lambda: changed(stories__train=["a", "b", "c", "d", name]),
        "test": lambda: changed(stories__test=["t", name]),
        "exclude": lambda: changed(subjects__S2={"exclude": [name]}),
        "blocks": lambda: changed(blocks={name: {"n": 2, "gap": 5}}),
        "sweep": lambda: changed(report={"sweep": [name]}),
        "subject": lambda: changed(subjects={"S1": None, name: None}),
        "band": lambda: changed(features={**BASIC["features"], name: {"kind": "ar"}}),
        "model": lambda: changed(models={**BASIC["models"], name: ["ar"]}),
        "only": lambda: changed(only=["eng1000", name]),
        "partition": lambda: changed(partitions={name: {"one": ["eng1000"], "two": ["ar"]}}),
        "space": lambda: changed(partitions={"p": {name: ["eng1000"], "two": ["ar"]}}),
        "regions": lambda: changed(mask={"path": "m"}, regions={name: {"volume": "v"}}),
    }[place]()


PLACES = ["run", "training", "test", "exclude", "blocks", "sweep", "subject", "band", "model",
          "only", "partition", "space", "regions"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_no_name_reaches_a_path_that_is_none(place, name):
    with pytest.raises(ProblemError) as caught:
        complete(with_name(place, name), "my.yaml")
    assert all("80" in problem.remedy for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["../x", "{sub}", "a\n", ""])
def test_names_in_pycortexs_database(name):
    own = {"subject": "{subject}", "transform": "{subject}_auto"}
    complete(changed(mask={"path": "m", "pycortex": own}))
    for key in own:
        with pytest.raises(ProblemError, match="the name that pycortex has"):
            complete(changed(mask={"path": "m", "pycortex": own | {key: name}}))


@pytest.mark.parametrize(
    "name", ["01", "task-pie_run-1", "Pie Man (PNI)", "it's", "Übung", "故事", "a.b"]
)
def test_names_as_people_give_them(name):
    assert complete(with_name("test", name))["stories"]["test"] == ["t", name]


def test_a_run_with_a_point_in_its_name_can_be_swept():
    assert complete(with_name("run", "a.b"))["name"] == "a.b"
    assert complete(with_name("sweep", "a.b"))["report"]["sweep"] == ["a.b"]
