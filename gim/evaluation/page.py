"""A text as a page: how surprising each token was, and which passages spoke for it."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from gim.evaluation.explain import passage_text
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import SOURCES


@dataclass(frozen=True)
class Read:
    """One token of a text that was read.

    Attributes
    ----------
    token, expected : str
        The one that came, and the most probable one.
    probability : float
        Of the one that came.
    n_bytes : int
        Length of the token in bytes of text; one may be a part of a character only.
    sources, remainder : dict of str to float
        See `gim.weighing.evidence.Attribution`.
    passages : list of dict
        Text around the votes, as `gim.evaluation.explain.Passage`.
    """

    token: str
    expected: str
    probability: float
    n_bytes: int
    sources: dict[str, float]
    remainder: dict[str, float]
    passages: list[dict]


def read_text(model: WeightedGIM, text: str, evidence: int = 5) -> list[Read]:
    """Predict every token of a text from those before it; say what spoke for the one that came."""
    ids = model.tokenizer.encode(text)
    stream, steps, decode = model.stream(), [], model.tokenizer.decode
    for t, token in enumerate(ids.tolist()):
        top = int(stream.distribution().argmax())
        found = stream.explain(token, evidence)
        passages = [vars(passage_text(model.tokenizer, ids[:t], p)) for p in found.passages]
        steps.append(
            Read(
                decode([token]),
                decode([top]),
                found.probability,
                len(model.tokenizer.table[token]),
                found.sources,
                found.remainder,
                passages,
            )
        )
        stream.push(token)
    return steps


def summary(steps: list[Read]) -> dict[str, float]:
    """Perplexity, bits a byte, share of tokens expected, and the sources' mean shares."""
    nats = -np.log([step.probability for step in steps])
    size = sum(step.n_bytes for step in steps)
    out = {
        "perplexity": float(np.exp(nats.mean())),
        "bits_per_byte": float(nats.sum() / np.log(2) / max(size, 1)),
        "expected": float(np.mean([step.token == step.expected for step in steps])),
    }
    for source in SOURCES:
        out[source] = float(np.mean([s.sources[source] / s.probability for s in steps]))
    return out


def to_page(steps: list[Read], title: str = "What was expected, and why") -> str:
    """A self-contained page: surprisal as colour, passages and shares of sources on a click."""
    import jinja2

    source = (files("gim") / "data" / "read.html.j2").read_text(encoding="utf-8")
    template: Any = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    data = [_short(step) for step in steps]
    # "</script>" in a text must not end the script that holds it.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return template.from_string(source).render(
        title=title, data=text, sources=SOURCES, summary=summary(steps), n=len(steps)
    )


def _short(step: Read) -> dict:
    """A step with numbers of four digits: a page of a story has thousands of passages."""

    def digits(found: dict[str, float]) -> dict[str, float]:
        return {name: float(f"{value:.4g}") for name, value in found.items() if value > 0}

    passages = [{**p, "weight": float(f"{p['weight']:.4g}")} for p in step.passages]
    return {
        "token": step.token,
        "expected": step.expected,
        "bits": round(float(-np.log2(step.probability)), 2),
        "sources": digits(step.sources),
        "remainder": digits(step.remainder),
        "passages": passages,
    }
