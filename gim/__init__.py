"""GIM, the Generalized Induction Head Model: next-token prediction that names its sources.

It knows nothing of brains. Begin with `GIM` (`gim.induction.model`). What needs PyTorch is imported
on first use, so that importing this package stays quick.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "GIM": "gim.induction.model",
    "WeightedGIM": "gim.weighing.model",
    "load_weights": "gim.weighing.weights",
    "load_tau": "gim.weighing.weights",
    "read_words": "gim.weighing.reading",
    "KneserNey": "gim.infinigram.kneser_ney",
    "Prediction": "gim.induction.prediction",
    "Evidence": "gim.induction.prediction",
    "ExactInduction": "gim.induction.exact",
    "InfiniGram": "gim.infinigram.query",
    "build_index": "gim.infinigram.index",
    "verify_index": "gim.infinigram.index",
    "FuzzyInduction": "gim.induction.fuzzy",
    "EncoderMetric": "gim.induction.fuzzy",
    "Encoder": "gim.encoder.encoder",
    "EncoderConfig": "gim.encoder.encoder",
    "TeacherMetric": "gim.causal.teacher",
    "Scores": "gim.scores",
    "Tokenizer": "gim.text.tokenizer",
    "load_tokenizer": "gim.text.tokenizer",
    "read_documents": "gim.text.corpus",
    "InputError": "gim.errors",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'gim' has no attribute {name!r}")
