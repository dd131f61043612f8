"""Showing what every token of a text was predicted from, in the terminal or as a page."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gim.induction.model import GIM
from gim.induction.prediction import Evidence, Prediction
from gim.text.tokenizer import Tokenizer
from gim.weighing.model import WeightedGIM

AROUND = 60  # characters shown on both sides of a vote
COLOURS = {"infinigram": 34, "exact": 32, "fuzzy": 35, "unigram": 90, "uniform": 90}
COLOURS |= {"ngrams": 34, "longest": 34, "matches": 32, "similar": 35, "words": 33}  # weighed


@dataclass(frozen=True)
class Passage:
    """One passage that voted, as text."""

    where: str
    before: str
    match: str
    vote: str
    after: str
    weight: float
    kind: str = ""


@dataclass(frozen=True)
class Step:
    """One token of the text and the prediction made before it was seen."""

    token: str
    prediction: Prediction
    predicted: str
    correct: bool
    probability: float
    passages: list[Passage]


def explain(model: GIM | WeightedGIM, text: str, evidence: int = 5) -> list[Step]:
    """Predict every token of ``text`` from those before it.

    Returns
    -------
    steps : list of Step, one a token
    """
    ids = model.tokenizer.encode(text)
    stream = model.stream()
    steps = []
    for t, token in enumerate(ids.tolist()):
        prediction = stream.predict(evidence)
        steps.append(
            Step(
                token=model.tokenizer.decode([token]),
                prediction=prediction,
                predicted=model.tokenizer.decode([prediction.top]),
                correct=prediction.top == token,
                probability=prediction.probability(token),
                passages=[
                    passage_text(model.tokenizer, ids[:t], item) for item in prediction.evidence
                ],
            )
        )
        stream.push(token)
    return steps


def passage_text(tokenizer: Tokenizer, context: Any, item: Evidence) -> Passage:
    """Text around a vote; in the context, only what the prediction could see."""
    decode = tokenizer.decode
    length = item.end - item.begin
    tokens, focus = (item.passage, item.focus) if item.passage else (context, item.end)
    start = max(0, focus - length)
    return Passage(
        where=item.where if item.document < 0 else f"{item.where}, document {item.document}",
        before=decode(tokens[max(0, start - AROUND) : start])[-AROUND:],
        match=decode(tokens[start:focus]),
        vote=decode([tokens[focus]]),
        after=decode(tokens[focus + 1 : focus + 1 + AROUND])[:AROUND],
        weight=item.weight,
        kind=item.kind,
    )


def to_terminal(steps: list[Step], colour: bool = False) -> str:
    """A line a token: the token, the prediction, the component, effective n, the best passage."""
    lines = []
    for step in steps:
        answer = step.prediction
        mark = "+" if step.correct else " "
        best = step.passages[0] if step.passages else None
        shown = f"...{best.before[-24:]}[{best.match}]>{best.vote}<" if best else ""
        line = (
            f"{mark} {_visible(step.token):<16} {_visible(step.predicted):<16} "
            f"{answer.source:<10} n={answer.effective_n:<4} p={step.probability:.3f}  "
            f"{_visible(shown)}"
        )
        lines.append(f"\x1b[{COLOURS[answer.source]}m{line}\x1b[0m" if colour else line)
    return "\n".join(lines)


def _visible(text: str) -> str:
    """Spaces stay; line ends, tabs and other control characters are spelt out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@cache
def _template() -> Any:
    import jinja2

    source = (files("gim") / "data" / "explain.html.j2").read_text(encoding="utf-8")
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)


def to_html(steps: list[Step], title: str = "What GIM predicted from") -> str:
    """A self-contained page: hover over or click a token to see the passages that voted."""
    hits = sum(step.correct for step in steps)
    return _template().render(steps=steps, title=title, hits=hits, visible=_visible)
