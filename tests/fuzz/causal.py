"""Damaged folders of Hugging Face language models."""

import json

import numpy as np
from safetensors.numpy import load_file, save_file
from transformers import BertConfig, BertLMHeadModel, XLNetConfig, XLNetLMHeadModel

from tests.fuzz.registry import cut, damage, dangling, edit, lfs_pointer
from tests.fuzz.specimens import CAUSAL


def _weights(folder, change):
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


@damage(CAUSAL, refused="cannot be loaded")
def causal_without_config(path):
    """config.json is missing."""
    (path / "config.json").unlink()


@damage(CAUSAL, refused="cannot be loaded")
def causal_config_cut_short(path):
    """The end of config.json is missing."""
    cut(path / "config.json")


@damage(CAUSAL, refused="cannot be loaded")
def causal_config_in_a_list(path):
    """config.json holds a list."""
    (path / "config.json").write_text("[1]")


@damage(CAUSAL, refused="cannot be loaded")
def causal_of_unknown_kind(path):
    """config.json names a kind of model that does not exist."""
    edit(path / "config.json", '"gpt2"', '"gpt0"')


@damage(CAUSAL, refused="cannot be loaded")
def causal_without_weights(path):
    """model.safetensors is missing."""
    (path / "model.safetensors").unlink()


@damage(CAUSAL, refused="cannot be loaded")
def causal_weights_cut_short(path):
    """The end of model.safetensors is missing."""
    cut(path / "model.safetensors")


@damage(CAUSAL, refused="not fetched yet")
def causal_weights_a_pointer(path):
    """model.safetensors is an unfetched git-lfs pointer."""
    lfs_pointer(path / "model.safetensors")


@damage(CAUSAL, refused="not fetched yet")
def causal_weights_a_dangling_link(path):
    """model.safetensors is a link of git-annex that leads nowhere yet."""
    dangling(path / "model.safetensors")


@damage(CAUSAL, refused="weights are missing")
def causal_without_a_tensor(path):
    """A tensor is missing."""
    _weights(path, lambda weights: weights.pop("transformer.h.0.mlp.c_fc.weight"))


@damage(CAUSAL, refused="cannot be loaded")
def causal_tensor_of_another_shape(path):
    """A tensor has lost a row."""
    name = "transformer.h.0.mlp.c_fc.weight"
    _weights(path, lambda weights: weights.update({name: weights[name][1:].copy()}))


@damage(CAUSAL, refused="not finite")
def causal_weight_not_a_number(path):
    """A weight is NaN."""

    def spoil(weights):
        weights["transformer.h.0.mlp.c_fc.weight"][0, 0] = np.nan

    _weights(path, spoil)


@damage(CAUSAL, refused="weights are missing")
def causal_of_more_layers(path):
    """config.json announces a layer more than there is."""
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"n_layer": 2}))


@damage(CAUSAL, refused="far larger than its weights")
def causal_of_too_many_ids(path):
    """config.json announces 20 million ids, the weights have 16,384."""
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"vocab_size": 20_000_000}))


@damage(CAUSAL, refused="far larger than its weights")
def causal_of_too_many_layers(path):
    """config.json announces a billion layers."""
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"n_layer": 10**9}))


@damage(CAUSAL, refused="looks ahead")
def causal_that_looks_ahead(path):
    """The model is one for masked words (BERT)."""
    shape = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
    config = BertConfig(vocab_size=16_384, num_hidden_layers=1, initializer_range=0.3, **shape)
    BertLMHeadModel(config).save_pretrained(path)


@damage(CAUSAL, refused="looks ahead")
def causal_without_positions(path):
    """The model looks ahead and says that it has -1 positions (XLNet)."""
    config = XLNetConfig(vocab_size=16_384, d_model=8, n_layer=1, n_head=2, d_inner=8)
    XLNetLMHeadModel(config).save_pretrained(path)


@damage(CAUSAL, refused="not a tokenizer.json")
def causal_tokenizer_cut_short(path):
    """The end of tokenizer.json is missing."""
    cut(path / "tokenizer.json")


@damage(CAUSAL, refused="no tokenizer here")
def causal_without_tokenizer(path):
    """tokenizer.json is missing."""
    (path / "tokenizer.json").unlink()


@damage(CAUSAL, refused="ids, the model only")
def causal_of_another_tokenizer(path):
    """tokenizer.json has an id more than the model knows."""
    content = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"]["vocab"]["zzzz"] = 16_384 + 100
    (path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
