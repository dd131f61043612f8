"""GGUF files of small models, as llama.cpp writes them."""

import json

import numpy as np


def write_gguf(path, model=None, tokenizer=None, architecture="llama"):
    """A Llama with a byte-level tokenizer; without a model, its header alone."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    if tokenizer is not None:
        write_tokenizer(writer, tokenizer)
    if model is not None:
        write_llama(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tokenizer(writer, tokenizer):
    spec = json.loads(tokenizer.fast.to_str())["model"]
    pieces = sorted(spec["vocab"], key=spec["vocab"].get)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in spec["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(pieces)
    writer.add_token_types([1] * len(pieces))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)


def write_llama(writer, model):
    config = model.config
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    for name, weight in model.state_dict().items():
        values = weight.numpy().astype(np.float32)
        if name.endswith("q_proj.weight"):
            values = permuted(values, config.num_attention_heads)
        elif name.endswith("k_proj.weight"):
            values = permuted(values, config.num_key_value_heads)
        if name != "lm_head.weight" or not config.tie_word_embeddings:
            writer.add_tensor(renamed(name), np.ascontiguousarray(values))


def permuted(values, heads):
    """Rotary dimensions in pairs, as llama.cpp has them."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(values.shape)


PARTS = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "model.layers.": "blk.", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def renamed(name):
    for ours in sorted(PARTS, key=len, reverse=True):  # the longer of two that begin alike
        name = name.replace(ours, PARTS[ours])
    return name
