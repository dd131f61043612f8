"""Models in GGUF files are those of the folder they were made from; what is wrong is said early."""

import hashlib
import importlib.util

import numpy as np
import pytest
import torch

from gim.causal.model import load_causal
from gim.causal.saved import check_saved
from gim.errors import InputError
from gim.text import gguf
from gim.text.hub import find_model, is_hub_name, name_of, revision_of
from gim.text.tokenizer import load_tokenizer
from tests.helpers.gguf import write_gguf


@pytest.fixture(scope="module")
def saved(tmp_path_factory, small):
    """A random Llama as a folder and as a GGUF file."""
    from gim.training.pretrain import make_model
    from gim.training.settings import Shape

    root = tmp_path_factory.mktemp("gguf")
    model = make_model(Shape(width=32, layers=2, heads=2, context=128), small.vocab_size, 0)
    model.save_pretrained(root / "folder")
    small.fast.save(str(root / "folder" / "tokenizer.json"))
    return root / "folder", write_gguf(root / "model.gguf", model, small)


@pytest.fixture(scope="module")
def cut(saved, tmp_path_factory):
    """The same file, the end of it missing."""
    path = tmp_path_factory.mktemp("cut") / "model.gguf"
    content = saved[1].read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    return path


def test_a_gguf_file_is_the_model_that_it_was_made_from(saved):
    folder, file = map(str, saved)
    theirs, ours = load_causal(file), load_causal(folder)
    one, other = load_tokenizer(file), load_tokenizer(folder)
    text = "The key 3 opens Door 1, naïvely."
    assert np.array_equal(one.encode(text), other.encode(text))
    ids = torch.from_numpy(one.encode(text))[None]
    with torch.inference_mode():
        torch.testing.assert_close(theirs(ids).logits, ours(ids).logits, rtol=1e-4, atol=1e-5)


def test_a_gguf_file_is_pinned_by_its_hash_and_is_no_name(saved, tmp_path):
    file = saved[1]
    assert revision_of(file) == "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    assert name_of(file) == "model.gguf"
    assert not is_hub_name("gone.gguf")
    with pytest.raises(InputError, match=r"gone.gguf: cannot be read .* correct the path"):
        load_causal(str(tmp_path / "gone.gguf"))


def test_a_folder_of_gguf_files_asks_for_one_of_them(saved, tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError, match=r"give one of them: .*a\.gguf"):
        load_causal(str(tmp_path))
    assert find_model(saved[0]) == (saved[0], {})


@pytest.mark.parametrize("load", [load_causal, load_tokenizer, check_saved])
def test_a_truncated_file_is_said_to_be_one(cut, load):
    with pytest.raises(InputError, match=r"no whole GGUF file .* bytes, .* download it again"):
        load(str(cut))


@pytest.mark.parametrize("architecture", ["clip", "bert", "rwkv7"])
def test_another_architecture_is_named_with_those_that_can_be_read(tmp_path, architecture):
    file = write_gguf(tmp_path / "model.gguf", architecture=architecture)
    with pytest.raises(InputError, match=f"architecture '{architecture}', .* llama.* give the mod"):
        load_causal(str(file))


def test_every_architecture_that_transformers_reads_is_let_through(tmp_path):
    for name in ("llama", "qwen2moe", "qwen3moe", "gpt-oss", "minimax-m2", "gemma3"):
        gguf.check_architecture(tmp_path / "model.gguf", name)


def test_no_gguf_no_tokenizer_and_no_package_are_told_apart(tmp_path, saved, monkeypatch):
    other = tmp_path / "page.gguf"
    other.write_text("<html>Not found</html>")
    with pytest.raises(InputError, match="does not begin with GGUF"):
        load_tokenizer(other)
    header = write_gguf(tmp_path / "model.gguf")
    with pytest.raises(InputError, match="no tokenizer in this file"):
        load_tokenizer(header)
    monkeypatch.setattr(gguf, "find_spec", lambda name: None)
    assert importlib.util.find_spec("gguf"), "the real one is untouched"
    with pytest.raises(InputError, match=r"pip install 'gim-encoding\[gguf\]'"):
        load_causal(str(saved[1]))
