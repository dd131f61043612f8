"""Configuration of `gim pretrain` and `gim distill`."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from gim.causal.divergence import Distance
from gim.encoder.storage import Storage


def within(default: Any, *, least: float, most: float = math.inf) -> Any:
    """A field whose number, or number of entries, `read_settings` keeps within bounds."""
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True)
class Optimisation:
    """How weights are trained: AdamW with a linear warm-up and a cosine decay to a tenth.

    Attributes
    ----------
    steps : int
        Updates of the weights.
    batch : int
        Sequences in one forward pass of one process.
    accumulation : int
        Forward passes whose gradients one update averages.
    rate : float
        Highest learning rate, reached after ``warmup`` steps.
    precision : {"no", "bf16", "fp16"}
        Mixed precision.
    log_every, checkpoint_every : int
        Steps between two lines of metrics, and between two checkpoints with their validation.
    """

    steps: int = within(15_000, least=1)
    batch: int = within(32, least=1)
    accumulation: int = within(1, least=1)
    rate: float = within(1e-4, least=0)
    warmup: int = within(1_000, least=0)
    weight_decay: float = within(0.1, least=0)
    clip: float = within(1.0, least=0)
    precision: Literal["no", "bf16", "fp16"] = "no"
    log_every: int = within(50, least=1)
    checkpoint_every: int = within(500, least=1)


@dataclass(frozen=True)
class Data:
    """What is trained on.

    Attributes
    ----------
    corpora : list of paths
        Text or JSONL files (see `gim.text.corpus.read_documents`).
    length : int
        Tokens of a training sequence.
    together : int
        Sequences that follow one another in the text, drawn as one. More of them give a batch
        repetitions like those within one document, where an encoder will look for matches.
    plain : float
        Share of the documents that are lower-cased and stripped of punctuation, as the transcripts
        of stories are.
    hold_out : int
        Every n-th document is kept for validation.
    cache : path
        Where the token files are kept; they are used again when corpora and tokenizer are the same.
    """

    corpora: list[str] = field(metadata={"least": 1})
    length: int = within(128, least=1)
    together: int = within(1, least=1)
    plain: float = within(0.5, least=0, most=1)
    hold_out: int = within(100, least=2)
    cache: str = "results/tokens"


@dataclass(frozen=True)
class Shape:
    """Size of the model."""

    family: Literal["gpt2", "llama"] = "llama"
    width: int = within(256, least=1)
    layers: int = within(4, least=1)
    heads: int = within(4, least=1)
    context: int = within(1024, least=1)


@dataclass(frozen=True)
class Pretraining:
    """Everything that `gim pretrain` reads from its file."""

    out: str
    data: Data
    tokenizer: str | None = None
    model: Shape = field(default_factory=Shape)
    optimisation: Optimisation = field(default_factory=Optimisation)
    seed: int = 0


@dataclass(frozen=True)
class Weights:
    """Weights of the losses; 0 leaves one out.

    Attributes
    ----------
    nearest : float
        Cross-entropy of the encoder's similarities with the teacher's nearest candidate.
    reverse_kl : float
        KL(softmax of the encoder's similarities | softmax of minus the teacher's distances).
    induction : float
        Minus the log of the share of soft counts, of a position among all others drawn, that fall
        on the token which followed it: what fuzzy induction is used for (not published).
    states : float
        Mean squared error of the teacher's states as the encoder foretells them, each number over
        its variance: they say what a text is about, not the next word alone (not published).
    """

    nearest: float = within(1.0, least=0)
    reverse_kl: float = within(1.0, least=0)
    induction: float = within(0.0, least=0)
    states: float = within(0.0, least=0)


@dataclass(frozen=True)
class EncoderShape:
    """See `gim.encoder.encoder.EncoderConfig`."""

    width: int = within(256, least=1)
    layers: int = within(3, least=1)
    heads: int = within(4, least=1)
    window: int = within(22, least=1)
    dim: int = within(128, least=1)
    temperature: float = 0.1


@dataclass(frozen=True)
class Keep:
    """A teacher's states are kept on disk, so that it reads once.

    Attributes
    ----------
    tokens : int
        The student's tokens that the teacher reads, spread over the corpora; 0 keeps nothing, and
        the teacher is asked anew in every step.
    cache : path
        Where they lie: two bytes for each number of a state, a state for every end of a word.
    """

    tokens: int = within(0, least=0)
    cache: str = "results/states"


@dataclass(frozen=True)
class Distillation:
    """Everything that `gim distill` reads from its file.

    Attributes
    ----------
    out : path
        Directory of the finished encoder.
    teacher : path or name
        Any Hugging Face causal language model.
    teacher_tokenizer : path or name, optional
        The teacher's own, if it is not in the teacher's directory. Where it is not the encoder's,
        positions are ends of words.
    teacher_layer : int, optional
        Layer whose states the loss ``states`` is about; 0 is the embedding. Needed for it.
    teacher_dtype : {"float32", "bfloat16"}
        Number format of the teacher's weights; bfloat16 is several times faster where the
        processor multiplies it.
    keep : Keep
        Whether its states are kept.
    tokenizer : path or name, optional
        The encoder's; the shipped one by default.
    begin_from : path, optional
        A finished encoder, "shipped" for the package's, of the same shape and tokenizer, whose
        weights training begins with; its windows may be smaller.
    initial_embeddings : bool
        Start from the teacher's token embeddings (same tokenizer only), cut or projected to the
        encoder's width by their principal components.
    queries, candidates : int
        Positions of a batch that are compared: two disjoint sets, in this proportion where a
        batch has fewer positions.
    first : int
        Positions before this one have too little context and are not drawn.
    distance, distance_temperature
        The teacher's distance D and T_D of exp(-D / T_D).
    chunk : int
        Teacher distributions in memory at once, twice.
    storage : {"float32", "float16", "int8"}
        Number format of the saved weights, see `gim.encoder.storage`; in eight bits an encoder
        takes half of what float16 takes.
    """

    out: str
    data: Data
    teacher: str
    teacher_tokenizer: str | None = None
    teacher_layer: int | None = within(None, least=0)
    teacher_dtype: Literal["float32", "bfloat16"] = "float32"
    keep: Keep = field(default_factory=Keep)
    tokenizer: str | None = None
    encoder: EncoderShape = field(default_factory=EncoderShape)
    begin_from: str | None = None
    initial_embeddings: bool = False
    queries: int = within(128, least=1)
    candidates: int = within(512, least=1)
    first: int = within(8, least=0)
    distance: Distance = "symmetric_kl"
    distance_temperature: float = 1.0
    losses: Weights = field(default_factory=Weights)
    chunk: int = within(256, least=1)
    storage: Storage = "float16"
    optimisation: Optimisation = field(default_factory=Optimisation)
    seed: int = 0
