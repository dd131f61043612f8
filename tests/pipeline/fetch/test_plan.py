"""What a configuration, or the folder that it names, may not have overwritten or sent away."""

from pathlib import Path

import pytest

from pipeline.core.errors import ProblemError
from pipeline.fetch.fetch import fetch
from tests.helpers.annexed import HF5, RESPONSES, STORIES, SUBJECT, TEXTGRID, key_of, link_of
from tests.helpers.datasets import make_config


@pytest.mark.parametrize(
    "path",
    [
        ".ssh/{story}.csv",
        "../{story}.TextGrid",
        "derivative/../../{story}.TextGrid",
        "code/.git/{story}.csv",
        "bin/{story}",
        "{story}.py",
        "{story}.csv.sh",
    ],
)
def test_names_that_no_dataset_has_are_not_asked_for(tmp_path, server, fetch_options, path):
    options = {"fetch": fetch_options, "transcripts": {"path": path}}
    config = make_config(tmp_path / "data", STORIES, {SUBJECT: None}, **options)
    with pytest.raises(ProblemError) as caught:
        fetch(config)
    assert not server.asked
    assert len(caught.value.problems) == len(STORIES)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"responses": {"path": "$SECRET/{subject}/{story}.hf5"}},
        {"responses": {"path": "derivative/${SECRET}/{subject}/{story}.hf5"}},
        {"responses": {"path": "$ROOT/$SECRET/{subject}/{story}.hf5"}},
        {"responses": {"volumes": "$SECRET.json"}},
        {"transcripts": {"path": "$SECRET/{story}.TextGrid"}},
        {"mask": {"path": "$ROOT/$SECRET/mask.nii.gz"}},
        {"eng1000": {"path": "$ROOT/$SECRET.hf5"}},
    ],
)
def test_values_of_variables_are_not_sent(tmp_path, server, fetch_options, monkeypatch, changes):
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("ROOT", str(tmp_path / "data"))
    changes["fetch"] = fetch_options
    with pytest.raises(ProblemError):
        fetch(make_config(Path("$ROOT"), STORIES, {SUBJECT: None}, **changes))
    assert not any("hunter2" in path for path in server.asked)


def test_variables_at_the_beginning_of_paths_are_the_users(
    tmp_path, source, fetch_options, monkeypatch
):
    monkeypatch.setenv("ROOT", str(tmp_path / "data"))
    changes = {
        "mask": {"path": "$ROOT/mask.nii.gz"},
        "responses": {"path": "${ROOT}/derivative/preprocessed_data/{subject}/{story}.hf5"},
        "fetch": fetch_options,
    }
    fetch(make_config(Path("$ROOT"), STORIES, {SUBJECT: None}, **changes))
    assert (tmp_path / "data" / HF5).read_bytes() == (source / HF5).read_bytes()
    assert (tmp_path / "data" / "mask.nii.gz").is_file()


def test_a_link_into_the_repository_is_replaced_not_followed(config, source, tmp_path):
    own = tmp_path / "data" / ".git" / "config"
    own.parent.mkdir(parents=True)
    own.write_text("[core]\n")
    path = tmp_path / "data" / TEXTGRID
    path.parent.mkdir(parents=True)
    path.symlink_to("../../.git/config")
    fetch(config)
    assert own.read_text() == "[core]\n"
    assert path.read_bytes() == (source / TEXTGRID).read_bytes()
    assert not path.is_symlink()


def test_an_object_that_is_a_link_is_not_written_through(config, source, tmp_path):
    root, key = tmp_path / "data", key_of((source / HF5).read_bytes(), ".hf5")
    (root / HF5).parent.mkdir(parents=True)
    (root / HF5).symlink_to(link_of(HF5, key))
    target = root / ".git" / "annex" / "objects" / "x1" / "y2" / key / key
    target.parent.mkdir(parents=True)
    (root / ".git" / "config").write_text("[core]\n")
    target.symlink_to(root / ".git" / "config")
    with pytest.raises(ProblemError):
        fetch(config)
    assert (root / ".git" / "config").read_text() == "[core]\n"


def test_a_folder_that_is_a_link_leads_to_nothing_hidden(config, tmp_path):
    hooks = tmp_path / "data" / ".git" / "hooks"
    hooks.mkdir(parents=True)
    (tmp_path / "data" / "derivative").mkdir()
    (tmp_path / "data" / "derivative" / "TextGrids").symlink_to("../.git/hooks")
    with pytest.raises(ProblemError):
        fetch(config)
    assert list(hooks.iterdir()) == []


def test_the_dataset_may_be_a_link_to_a_shared_disk(config, source, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "shared")
    fetch(config)
    assert (tmp_path / "shared" / HF5).read_bytes() == (source / HF5).read_bytes()


def test_a_file_that_is_not_the_datasets_is_kept(config, server, tmp_path):
    path = tmp_path / "data" / HF5
    path.parent.mkdir(parents=True)
    path.write_bytes(b"my own")
    fetch(config)
    assert path.read_bytes() == server.pages[RESPONSES]
    assert b"my own" in [other.read_bytes() for other in path.parent.iterdir()]
