"""What a configuration may have sent, and to where."""

import pytest

from pipeline.config.addresses import is_safe
from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from tests.helpers.configs import changed

BASIC = {
    "name": "x",
    "data_root": "$ROOT",
    "fetch": {"files": "https://a.org/files", "pointers": "https://a.org/pointers"},
    "subjects": {"S1": None},
    "stories": {"train": ["a", "b", "c"], "test": ["t"]},
    "features": {"eng1000": None, "static": {"model": "lab/model"}},
    "models": {"eng1000": ["eng1000"]},
    "mask": {"path": "$ROOT/mask.nii.gz"},
    "fit": {"n_folds": 3},
}


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    for name, value in {"ROOT": "/data/d", "SECRET": "hunter2", "DISK": "/disk"}.items():
        monkeypatch.setenv(name, value)


def places(**changes):
    """Places of the problems of a changed configuration."""
    try:
        complete(changed(BASIC, **changes))
    except ProblemError as error:
        return [problem.place for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://s3.amazonaws.com/openneuro.org", True),
        ("HTTPS://a.org", True),
        ("http://127.0.0.1:8000/files", True),
        ("http://localhost/files", True),
        ("http://[::1]:80/files", True),
        ("http://a.org", False),
        ("http://localhost.a.org", False),
        ("http://127.0.0.1@a.org/", False),
        ("http://127.0.0.1.a.org", False),
        ("ftp://a.org", False),
        ("file:///etc/passwd", False),
        ("a.org/files", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_addresses(address, safe):
    assert is_safe(address) is safe
    assert places(fetch__files=address) == ([] if safe else ["fetch.files"])


def test_all_that_would_send_a_value_is_told_at_once():
    changes = {
        "responses__path": "$SECRET/{subject}/{story}.hf5",
        "transcripts__path": "$ROOT/~/$SECRET/{story}.TextGrid",
        "features__static__model": "$SECRET/model",
        "features__gim__encoder": "$ROOT/$SECRET",
        "features__gim": {"encoder": "$ROOT/$SECRET"},
        "mask__path": "${ROOT}/$SECRET.nii.gz",
        "eng1000__path": "/data/d/$SECRET.hf5",
    }
    assert sorted(places(**changes)) == [
        "eng1000.path",
        "features.gim.encoder",
        "features.static.model",
        "mask.path",
        "responses.path",
        "transcripts.path",
    ]


def test_a_root_above_the_home_folder_does_not_tell_its_name(monkeypatch):
    monkeypatch.setenv("HOME", "/data/d/somebody")
    assert places(mask__path="~/mask.nii.gz") == ["mask.path"]


@pytest.mark.parametrize(
    "changes",
    [
        {"responses__path": "$ROOT//derivative/./{subject}/{story}.hf5"},
        {"mask__path": "$DISK/$SECRET/mask.nii.gz"},  # not in the dataset: nobody is asked
        {"features__static__model": "$DISK/$SECRET"},
        {"regions__r": {"volume": "$ROOT/$SECRET.nii.gz"}},  # never fetched
        {"training__pretrain": "$SECRET.yaml"},
        {"fetch": None, "responses__path": "$SECRET/{subject}/{story}.hf5"},
        {"data_root": "$DISK/$SECRET", "mask__path": "$DISK/$SECRET/mask.nii.gz"},
    ],
)
def test_variables_of_what_stays_here_are_the_users(changes):
    assert places(**changes) == []
