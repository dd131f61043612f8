"""GIM, the Generalized Induction Head Model: next-token prediction that names its sources.

What needs PyTorch is imported on first use, so that importing this package stays quick.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "GIM": "gim.model",
    "Prediction": "gim.prediction",
    "Evidence": "gim.prediction",
    "ExactInduction": "gim.exact",
    "InfiniGram": "gim.infinigram",
    "build_index": "gim.index",
    "verify_index": "gim.index",
    "FuzzyInduction": "gim.fuzzy",
    "EncoderMetric": "gim.fuzzy",
    "Encoder": "gim.encoder",
    "EncoderConfig": "gim.encoder",
    "TeacherMetric": "gim.teacher",
    "Scores": "gim.scores",
    "Tokenizer": "gim.tokenizer",
    "load_tokenizer": "gim.tokenizer",
    "read_documents": "gim.corpus",
    "InputError": "gim.errors",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'gim' has no attribute {name!r}")
