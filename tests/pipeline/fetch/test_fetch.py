"""Fetching the data: only what is needed, resumed, verified, from a server on this machine."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.core.errors import ProblemError
from pipeline.fetch import annex, https, models, part, plan
from pipeline.fetch.fetch import fetch
from pipeline.validation.validate import validate
from tests.helpers.annexed import HF5, IN_GIT, RESPONSES, SUBJECT, clone, key_of, link_of, names_in


def test_only_what_is_needed_comes_and_is_the_same(config, source, server, tmp_path):
    fetch(config, jobs=3)
    root = tmp_path / "data"
    expected = [n for n in names_in(source) if "S2" not in n and "unwanted" not in n]
    assert names_in(root) == expected
    assert all((root / n).read_bytes() == (source / n).read_bytes() for n in expected)
    assert validate(config) == []
    server.asked.clear()
    fetch(config)
    assert not [path for path in server.asked if path.startswith("/files/")]


def test_a_clone_gets_the_contents_where_its_links_point(config, source, server, tmp_path):
    root = tmp_path / "data"
    clone(source, root)
    with pytest.raises(ProblemError, match="not fetched yet"):
        validate(config)
    fetch(config)
    assert validate(config) == []
    assert (root / HF5).is_symlink()
    assert ".git/annex/objects" in os.readlink(root / HF5)
    assert (root / HF5).read_bytes() == (source / HF5).read_bytes()
    assert (root / HF5.replace(SUBJECT, "S2")).is_symlink()
    assert not (root / HF5.replace(SUBJECT, "S2")).exists()
    # A clone says what it lacks; only of git's own file nothing here says the checksum.
    assert [p for p in server.asked if p.startswith("/pointers/")] == [
        f"/pointers/{n}" for n in IN_GIT
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("link", [True, False], ids=["links", "pointers"])
def test_a_clone_without_git_annex_takes_what_git_holds(
    config, source, server, tmp_path, link, monkeypatch
):
    root = tmp_path / "data"
    clone(source, root, link)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "data"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    which = shutil.which
    monkeypatch.setattr(
        "pipeline.fetch.clone.shutil.which",
        lambda name: None if name == "git-annex" else which(name),
    )
    fetch(config)
    assert validate(config) == []
    assert not any(path.startswith("/pointers/") for path in server.asked)
    wanted = {n for n in names_in(source) if "S2" not in n and "unwanted" not in n}
    assert {RESPONSES} < set(server.asked) <= {f"/files/{n}" for n in wanted - IN_GIT}
    # What came is compared with what git says it must be, also where a pointer gave way to it.
    path = Path(os.path.realpath(root / HF5))
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    server.asked.clear()
    fetch(config)
    assert set(server.asked) == {RESPONSES}
    assert path.read_bytes() == (source / HF5).read_bytes()


def test_pointer_files_are_replaced(config, source, tmp_path):
    clone(source, tmp_path / "data", link=False)
    fetch(config)
    assert validate(config) == []


def test_a_damaged_file_is_fetched_again_and_no_other(config, source, server, tmp_path):
    fetch(config)
    path = tmp_path / "data" / HF5
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    server.asked.clear()
    fetch(config)
    assert path.read_bytes() == (source / HF5).read_bytes()
    assert [p for p in server.asked if p.startswith("/files/")] == [RESPONSES]


def test_a_dropped_connection_goes_on_where_it_stopped(config, source, server, tmp_path):
    size = len(server.pages[RESPONSES])
    server.drops[RESPONSES] = [size // 3, size // 3]
    fetch(config)
    assert (tmp_path / "data" / HF5).read_bytes() == (source / HF5).read_bytes()
    assert server.asked[RESPONSES] == 3
    assert server.sent[RESPONSES] == size


def test_a_server_without_ranges_sends_it_whole_again(config, source, server, tmp_path):
    server.ranges = False
    server.drops[RESPONSES] = [100]
    fetch(config)
    assert (tmp_path / "data" / HF5).read_bytes() == (source / HF5).read_bytes()


def test_a_connection_that_keeps_dropping_is_told_and_the_next_call_goes_on(
    config, source, server, tmp_path
):
    size = len(server.pages[RESPONSES])
    server.drops[RESPONSES] = [size // 2] + [0] * https.ATTEMPTS
    with pytest.raises(ProblemError, match="dropped 5 times in a row") as caught:
        fetch(config)
    (problem,) = caught.value.problems
    assert HF5.rsplit("/", 1)[1] in str(problem.file)
    assert not (tmp_path / "data" / HF5).exists()
    others = [n for n in names_in(tmp_path / "data") if n.endswith(".hf5") and ".part" not in n]
    assert len(others) == 4  # the other files came all the same
    server.sent.clear()
    server.drops.clear()
    fetch(config)
    assert server.sent[RESPONSES] == size - size // 2
    assert validate(config) == []


def test_a_damaged_part_is_thrown_away(config, source, server, tmp_path):
    path = part.partial(tmp_path / "data" / HF5)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 50)
    fetch(config)
    assert (tmp_path / "data" / HF5).read_bytes() == (source / HF5).read_bytes()


@pytest.mark.parametrize("damage", [lambda c: c[:-1] + b"\0", lambda c: c + b"\0", lambda c: b""],
                         ids=["changed", "longer", "empty"])  # fmt: skip
def test_what_does_not_fit_its_checksum_gets_no_name(config, server, tmp_path, damage):
    server.pages[RESPONSES] = damage(server.pages[RESPONSES])
    with pytest.raises(ProblemError) as caught:
        fetch(config)
    (problem,) = caught.value.problems
    assert "two.hf5" in str(problem.file)
    assert not (tmp_path / "data" / HF5).exists()
    assert server.asked[RESPONSES] <= https.ATTEMPTS


def test_all_names_that_the_dataset_lacks_in_one_message(config, server):
    for name in (HF5, "derivative/TextGrids/one.TextGrid"):
        del server.pages[f"/pointers/{name}"]
    with pytest.raises(ProblemError) as caught:
        fetch(config)
    assert len(caught.value.problems) == 2
    assert all("404" in problem.what for problem in caught.value.problems)
    assert not any(path.startswith("/files/") for path in server.asked)


def test_space_is_checked_before_anything_comes(config, server, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(ProblemError, match=r"needs 0\.\d\d MB, only 0\.00 MB are free"):
        fetch(config)
    assert not any(path.startswith("/files/") for path in server.asked)


def test_what_is_needed_is_said_first(config, caplog):
    caplog.set_level("INFO")
    fetch(config)
    said = [r.getMessage() for r in caplog.records]
    first = next(i for i, line in enumerate(said) if "11 of 11 files to fetch" in line)
    assert "MB" in said[first]
    assert "free" in said[first]
    assert any("11 of 11: " in line for line in said[first:])


def test_a_link_that_leads_out_of_the_dataset_is_refused(config, source, tmp_path):
    clone(source, tmp_path / "data")
    path = tmp_path / "data" / HF5
    key = annex.local_key(path).name
    path.unlink()
    path.symlink_to(f"/tmp/elsewhere/annex/objects/{key}/{key}")
    with pytest.raises(ProblemError, match="leads out of the dataset"):
        fetch(config)


def test_an_unset_variable_is_no_folder(config):
    with pytest.raises(ProblemError, match="variable is not set"):
        fetch(config | {"data_root": "$NOWHERE/ds003020"})


@pytest.mark.parametrize(
    ("text", "backend", "size", "digest"),
    [
        ("MD5E-s12--0cc175b9c0f1b6a8.hf5", "MD5", 12, "0cc175b9c0f1b6a8"),
        ("SHA256E-s3-m100--ABC.nii.gz", "SHA256", 3, "abc"),
        ("SHA1-s0--da39", "SHA1", 0, "da39"),
        ("WORM-s7-m1--name.txt", "WORM", 7, "name"),
        ("URL--http&c%%host", "URL", None, "http&c%%host"),
    ],
    ids=["md5e", "sha256e", "sha1", "worm", "url"],
)
def test_keys(text, backend, size, digest):
    for pointer in (
        f"/annex/objects/{text}\n",
        link_of("a/b/c.hf5", text),
        link_of("c", text).encode(),
    ):
        assert annex.key_in(pointer) == annex.Key(text, backend, size, digest)


@pytest.mark.parametrize(
    "text", ["", "{}", "MD5E-s12--00.hf5", "annex/objects/nokey", "a\nannex/objects/MD5-s1--0"]
)
def test_no_keys(text):
    assert annex.key_in(text) is None


@pytest.mark.skipif(shutil.which("git-annex") is None, reason="git-annex is not installed")
def test_git_annex_fetches_into_a_clone(config, source, server, tmp_path):
    run = {"check": True, "capture_output": True}
    commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "data"]
    for command in (["init", "-q"], ["annex", "init", "-q"], ["annex", "add", "-q", "."], commit):
        subprocess.run(["git", "-C", str(source), *command], **run)
    subprocess.run(["git", "clone", "-q", str(source), str(tmp_path / "data")], **run)
    fetch(config)
    assert validate(config) == []
    assert not any(path.startswith("/files/") for path in server.asked)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(server, tmp_path, monkeypatch):
    """A hub with one model, in both formats of weights, and an empty cache."""
    files = {
        "config.json": b'{"model_type": "gpt2"}',
        "tokenizer.json": b"{}",
        "model.safetensors": b"w" * 3000,
        "pytorch_model.bin": b"v" * 4000,
        "README.md": b"text",
    }
    siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
    info = {"id": "lab/model", "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
    tree = [{"type": "file", "path": name, "oid": "0", "size": len(files[name])} for name in files]
    api = "/api/models/lab/model"
    pages = {api: info, f"{api}/revision/main": info, f"{api}/tree/{COMMIT}": tree}
    server.headers["/api/models/lab/other"] = {"X-Error-Code": "RepoNotFound"}
    for path, page in pages.items():
        server.pages[path] = json.dumps(page).encode()
        server.headers[path] = {"Content-Type": "application/json"}
    for name, content in files.items():
        for revision in ("main", COMMIT):
            path = f"/lab/model/resolve/{revision}/{name}"
            server.pages[path] = content
            server.headers[path] = {
                "ETag": f'"{key_of(content, "")[-32:]}"',
                "X-Repo-Commit": COMMIT,
            }
    cache = tmp_path / "cache"
    for place in (models.constants,):
        monkeypatch.setattr(place, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(models, "ENDPOINT", server.url)
    return cache


def model_config(config, **band):
    features = config["features"] | {"llm": {"kind": "llm", "layers": 1, **band}}
    return config | {"features": features}


def test_models_come_without_what_is_not_needed(config, hub, server):
    config = model_config(config, model="lab/model")
    assert models.hub_models(config) == {"lab/model": True}
    models.fetch_models(config)
    (snapshot,) = (hub / "models--lab--model" / "snapshots").iterdir()
    assert names_in(snapshot) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (snapshot / "model.safetensors").read_bytes() == b"w" * 3000
    server.sent.clear()
    models.fetch_models(config)
    assert not any("resolve" in path for path in server.sent)


def test_a_model_comes_in_the_revision_that_is_pinned(config, hub, server):
    server.pages[f"/api/models/lab/model/revision/{COMMIT}"] = server.pages["/api/models/lab/model"]
    server.headers[f"/api/models/lab/model/revision/{COMMIT}"] = {
        "Content-Type": "application/json"
    }
    models.fetch_models(model_config(config, model=f"lab/model@{COMMIT}"))
    (snapshot,) = (hub / "models--lab--model" / "snapshots").iterdir()
    assert snapshot.name == COMMIT
    assert not any("main" in path for path in server.sent)


def test_a_model_missing_from_a_folder_here_is_not_asked_for(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    assert models.hub_models(model_config(config, model="results/teacher")) == {}


def test_models_on_disk_are_not_asked_for(config, tmp_path):
    assert models.hub_models(model_config(config, model=str(tmp_path))) == {}


def test_a_model_that_is_not_on_the_hub(config, hub):
    with pytest.raises(ProblemError, match="not on the hub"):
        models.fetch_models(model_config(config, model="lab/other"))
