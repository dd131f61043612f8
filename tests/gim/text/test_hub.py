"""Models by name come from the hub's cache, and from nowhere else."""

import json
import shutil
import socket

import numpy as np
import pytest
from huggingface_hub import constants

from gim.causal.model import load_causal
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from tests.helpers.language import write_causal

COMMITS = {"main": "a" * 40, "old": "b" * 40}


@pytest.fixture
def asked(monkeypatch):
    """Servers that anything tries to reach."""
    hosts = []

    def refuse(host, *_, **__):
        hosts.append(host)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return hosts


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub's cache with two revisions of a model, which differ in their vocabulary."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--lab--model"
    size = load_tokenizer().vocab_size
    (folder / "refs").mkdir(parents=True)
    for more, (name, commit) in enumerate(COMMITS.items()):
        (folder / "refs" / name).write_text(commit)
        write_causal(folder / "snapshots" / commit, size + more)
    return folder, size


@pytest.mark.parametrize("source", ["results/teacher", "teacher", "no such/folder/at all"])
@pytest.mark.parametrize("load", [load_causal, load_tokenizer])
def test_a_folder_that_is_missing_is_not_looked_for_on_the_hub(
    tmp_path, monkeypatch, asked, source, load
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load(source)
    assert asked == []
    assert source in str(caught.value)


@pytest.mark.parametrize(("source", "more"), [("lab/model", 0), (f"lab/model@{'b' * 40}", 1)])
def test_a_name_is_read_from_the_cache_in_the_revision_that_is_pinned(cache, asked, source, more):
    _, size = cache
    assert load_causal(source).config.vocab_size == size + more
    assert np.array_equal(
        load_tokenizer(source).encode("the sea"), load_tokenizer().encode("the sea")
    )
    assert asked == []


def test_a_revision_that_is_not_in_the_cache_is_not_fetched(cache, asked):
    with pytest.raises(InputError, match=f"hf download lab/model --revision {'c' * 40}"):
        load_causal(f"lab/model@{'c' * 40}")
    assert asked == []


def test_the_revision_is_known(cache, tmp_path):
    from gim.text.hub import revision_of

    assert revision_of("lab/model") == COMMITS["main"]
    assert revision_of("lab/model@old") == COMMITS["old"]
    assert revision_of(tmp_path) is None
    assert revision_of("lab/gone") is None


def test_a_name_within_a_folder_here_is_no_name_on_the_hub(tmp_path, monkeypatch):
    from gim.text.hub import is_hub_name

    monkeypatch.chdir(tmp_path)
    assert is_hub_name("results/teacher")
    (tmp_path / "results").mkdir()
    assert not is_hub_name("results/teacher")
    assert is_hub_name("gpt2@main") and not is_hub_name("a/b/c") and not is_hub_name("a b")


def test_code_of_a_model_is_not_run(cache, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(cache[0] / "snapshots" / COMMITS["main"], folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'PWNED')!r}, 'w')")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_causal(str(folder))
    assert not (tmp_path / "PWNED").exists()
