"""Train a GPT-2- or Llama-shaped causal language model: a teacher or baseline of one's own."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gim.errors import InputError
from gim.files import atomic_directory, check_replaceable, write_json
from gim.text.tokenizer import load_tokenizer
from gim.training.loop import Losses, make_accelerator, origin, train
from gim.training.settings import Pretraining, Shape
from gim.training.tokens import TokenFile, token_files

VALIDATION_BATCHES = 8


class LinearCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of ``softmax(hidden @ weight.T)``, a few rows at a time.

    The gradient is taken on the way forward, so that logits (tokens x vocabulary) of one chunk
    only are ever in memory.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
        """The loss; ``chunk`` rows of logits at a time."""
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight)
        total = hidden.new_zeros((), dtype=torch.float32)
        logits = hidden.new_empty(min(chunk, len(hidden)), len(weight))
        for begin in range(0, len(hidden), chunk):
            part, goal = hidden[begin : begin + chunk], targets[begin : begin + chunk, None]
            scores = torch.mm(part, weight.T, out=logits[: len(part)])
            log_sum = scores.logsumexp(1, keepdim=True)
            total += (log_sum - scores.gather(1, goal)).sum()
            slope = scores.sub_(log_sum).exp_()
            slope.scatter_add_(1, goal, slope.new_full(goal.shape, -1.0))
            torch.mm(slope, weight, out=d_hidden[begin : begin + chunk])
            d_weight.addmm_(slope.T, part)
        ctx.save_for_backward(d_hidden, d_weight)
        return total / len(hidden)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """What `forward` has kept, times ``grad``."""
        d_hidden, d_weight = ctx.saved_tensors
        grad = grad / len(d_hidden)
        return d_hidden * grad, d_weight * grad, None, None


class _NextTokenLoss(nn.Module):
    """The model and its loss in one module, so that processes exchange all its gradients."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        hidden = self.model.base_model(ids[:, :-1]).last_hidden_state
        weight = self.model.get_output_embeddings().weight
        flat = hidden.flatten(0, 1)
        return LinearCrossEntropy.apply(flat, weight.to(flat.dtype), ids[:, 1:].flatten(), 512)


def make_model(shape: Shape, vocab_size: int, seed: int) -> Any:
    """A randomly initialised Hugging Face model.

    Raises
    ------
    InputError
        When the width is not a multiple of twice the heads.
    """
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    if shape.width % (2 * shape.heads):
        raise InputError(
            f"model.width {shape.width} must be a multiple of 2 x {shape.heads} heads (rotary "
            "positions turn pairs)"
        )
    torch.manual_seed(seed)
    if shape.family == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocab_size,
                n_positions=shape.context,
                n_embd=shape.width,
                n_layer=shape.layers,
                n_head=shape.heads,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                bos_token_id=None,
                eos_token_id=None,
            )
        )
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=shape.width,
            intermediate_size=-(-shape.width * 8 // 3) // 16 * 16,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=None,
        )
    )


@torch.inference_mode()
def quality(model: Any, tokens: TokenFile, length: int, batch: int) -> dict[str, float]:
    """Perplexity and next-token accuracy on held-out sequences."""
    loss, right, count = 0.0, 0, 0
    for number in range(VALIDATION_BATCHES):
        ids = torch.from_numpy(tokens.batch(number, batch, length, seed=0)).to(model.device)
        logits = model(ids[:, :-1]).logits.float()
        loss += nn.functional.cross_entropy(
            logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum"
        ).item()
        right += int((logits.argmax(-1) == ids[:, 1:]).sum())
        count += ids[:, 1:].numel()
    return {
        "validation_loss": loss / count,
        "validation_perplexity": float(torch.tensor(loss / count).exp()),
        "validation_accuracy": right / count,
    }


def pretrain(settings: Pretraining) -> dict[str, float]:
    """Train, and save the model with its tokenizer in Hugging Face format under ``settings.out``.

    An interrupted run continues from ``out.training``, where the checkpoints and the metrics are.

    Returns
    -------
    figures : dict
        Validation loss (nats a token), perplexity and accuracy of the trained model.

    Raises
    ------
    InputError
        For settings that do not fit together, or a folder ``out`` that is not gim's to replace.
    """
    check_replaceable(settings.out)
    accelerator = make_accelerator(settings.optimisation)
    tokenizer = load_tokenizer(settings.tokenizer)
    with accelerator.main_process_first():
        tokens = token_files(settings.data, tokenizer, settings.seed, progress=True)
    model = make_model(settings.model, tokenizer.vocab_size, settings.seed)
    length, batch = settings.data.length, settings.optimisation.batch
    if length > settings.model.context:
        raise InputError(
            f"data.length {length} exceeds model.context {settings.model.context} tokens"
        )

    def losses(wrapped: nn.Module, number: int) -> Losses:
        ids = tokens["train"].batch(number, batch, length, settings.seed, settings.data.together)
        return {"loss": wrapped(torch.from_numpy(ids).to(accelerator.device))}

    def validate() -> dict[str, float]:
        return quality(model, tokens["validation"], length, batch)

    describe = {k: v for k, v in asdict(settings).items() if k != "out"}
    train(
        _NextTokenLoss(model),
        losses,
        settings.optimisation,
        Path(f"{settings.out}.training"),
        describe=describe,
        validate=validate,
        accelerator=accelerator,
    )
    figures = validate()
    if accelerator.is_main_process:
        with atomic_directory(settings.out) as folder:
            model.save_pretrained(folder)
            if tokenizer.fast is not None:
                tokenizer.fast.save(str(folder / "tokenizer.json"), pretty=False)
            write_json(folder / "training.json", describe | origin() | {"figures": figures})
    return figures
