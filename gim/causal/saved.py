"""What is checked of a saved causal language model, before memory is taken for it and after."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from gim.causal.shape import last_logits, max_context, said, vocabulary_size
from gim.errors import InputError
from gim.files import check_fetched
from gim.text.gguf import read_header
from gim.text.hub import files_of, find_model

MAX_LAYERS = 10_000  # some fifty times the deepest models there are
MOST_PER_BYTE = 4  # numbers of a model in a byte of its files: two at 4 bits, tied ones not twice
KINDS = 64  # tokens that a model of one layer knows
TRIED = 8  # tokens on which a model is tried for looking ahead
MOVED = 1e-4  # share of the largest logit that rounding may move, or 8 steps of the number format


def check_saved(source: str, *, causal: bool = True) -> Any:
    """Check what can be without reading weights: files, shape, the direction of reading.

    Parameters
    ----------
    source : str
        As for `gim.causal.model.load_causal`.
    causal : bool
        Whether it must read from left to right; a small model of its kind is tried.

    Returns
    -------
    config : a Hugging Face configuration

    Raises
    ------
    InputError
        As `gim.causal.model.load_causal`.
    """
    folder, options = find_saved(source)
    try:
        config = check_size(source, folder, options)
    except InputError:
        raise
    except Exception as error:  # OSError, ValueError, and what several libraries raise
        raise cannot_load(source, error) from error
    if causal:
        _check_kind(source, config)
    return config


def find_saved(source: str) -> tuple[Path, dict[str, str]]:
    """Where a model's files are (`gim.text.hub.find_model`), and that their content is there."""
    try:
        found = find_model(source)
    except InputError as error:
        raise InputError(f"causal language model {error}") from error
    check_fetched(*files_of(source))
    return found


def cannot_load(source: str, error: Exception) -> InputError:
    """What to tell the user of an error of the library."""
    return InputError(
        f"causal language model {source!r} cannot be loaded ({said(error)}); pass the directory of "
        "a saved model, or a GGUF file"
    )


def check_size(source: str, folder: Path, options: dict[str, str]) -> Any:
    """Read a configuration; raise if it describes a model far larger than its files.

    transformers fills with random numbers whatever is not there.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    config: Any = AutoConfig.from_pretrained(  # a folder  # nosec B615
        folder, local_files_only=True, trust_remote_code=False, **options
    )
    layers = getattr(config, "num_hidden_layers", 0) or 0
    stored = sum(f.stat().st_size for f in files_of(source) if f.suffix != ".json")
    most = 2 * read_header(source).n_weights if options else MOST_PER_BYTE * stored
    if layers <= MAX_LAYERS:
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        wanted = sum(weight.numel() for weight in empty.parameters())
        if wanted <= most or stored == 0:
            return config
    raise InputError(
        f"causal language model {source!r}: config.json describes a model far larger than its "
        f"weights ({layers} layers, {stored:,} bytes); fetch or save it again"
    )


def _check_kind(source: str, config: Any) -> None:
    """`check_causal` of a model with one layer, few tokens and random weights, if there can be."""
    from transformers import AutoModelForCausalLM

    small = deepcopy(config)
    text = small.get_text_config(decoder=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            text.num_hidden_layers, text.vocab_size = 1, KINDS
            text.pad_token_id = text.bos_token_id = text.eos_token_id = None
            model: Any = AutoModelForCausalLM.from_config(small, trust_remote_code=False).eval()
        except Exception:  # a shape that cannot be cut: the whole model is tried when it is loaded
            return
    check_causal(source, model)


@torch.inference_mode()
def check_causal(source: str, model: Any) -> None:
    """Raise if later tokens change what is predicted before them, as in BERT.

    transformers loads such models as causal; what they predict from is what they should predict.
    """
    n_ids = model.get_input_embeddings().num_embeddings
    early = max_context(model, TRIED) // 2
    if early < 1:  # a model of one position sees nothing else
        return
    lines = torch.linspace(0, n_ids - 1, 3 * early).long().view(3, early)
    ids = torch.cat([lines[[0, 0]], lines[[1, 2]]], dim=1)
    try:
        logits = last_logits(model, ids.to(model.device), ids.shape[1]).float()
    except Exception as error:  # whatever a model of another kind wants beside tokens
        raise InputError(
            f"causal language model {source!r} cannot read tokens alone ({said(error)}); give a "
            "model of text"
        ) from error
    if logits.shape != (*ids.shape, n_known := vocabulary_size(model)):
        raise InputError(
            f"causal language model {source!r} predicts {tuple(logits.shape)} numbers for "
            f"{tuple(ids.shape)} tokens of {n_known} kinds; give a model of text"
        )
    logits = logits[:, :early]
    allowed = max(MOVED, 8 * torch.finfo(model.dtype).eps) * float(logits.abs().max())
    if not float((logits[0] - logits[1]).abs().max()) <= allowed:  # nor are NaN the same
        raise InputError(
            f"causal language model {source!r}: it looks ahead (another word later in a text "
            "changes what it predicts before); give one that reads from left to right, such as "
            "GPT-2 or Llama"
        )


def check_weights(source: str, model: Any, missing: list[str]) -> None:
    """Raise if weights are missing, which transformers fills with random numbers, or not finite."""
    if missing:
        what = f"{len(missing)} weights are missing ({', '.join(missing[:3])})"
    elif spoilt := [n for n, p in model.named_parameters() if not torch.isfinite(p).all()]:
        what = f"weights are not finite ({', '.join(spoilt[:3])})"
    else:
        return
    raise InputError(f"causal language model {source!r}: {what}; fetch or save it again")
