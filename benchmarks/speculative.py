"""Speculative decoding of a real language model: ``python -m benchmarks.speculative --model DIR``.

Greedy continuations of four kinds of text, in the model's own tokens, by every draft in one run.
CPU time without reading the prompt. ``--index`` is of a corpus, in the model's tokens, for the
whole GIM. A kind of text that is in ``--work`` is kept.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

from benchmarks.common import corpora, execute, write
from benchmarks.suffix_decoding import SuffixDecoding
from gim.causal.model import load_causal
from gim.causal.shape import last_logits
from gim.decoding.costs import Costs
from gim.decoding.drafts import CopyDraft, Draft, Proposal, StreamDraft, draft_of
from gim.decoding.reader import Reader
from gim.decoding.speculate import Generation, compile_draft, speculate
from gim.encoder.encoder import Encoder
from gim.files import write_json
from gim.induction.model import GIM
from gim.infinigram.query import InfiniGram
from gim.text.corpus import read_documents
from gim.text.tokenizer import Tokenizer, load_tokenizer
from gim.weighing.model import WeightedGIM

TIE = 1e-4  # two best logits nearer than this: rounding decides
PASSAGE = 160  # tokens of the repetitive text's passage
LOOKUP = 10  # tokens that transformers' prompt lookup drafts by default
NEVER = 10**6  # a suffix length that no match reaches: fuzzy induction always answers


class PromptLookup:
    """The candidate generator of transformers as a `gim.decoding.drafts.Draft`."""

    def __init__(self) -> None:
        self._ids: list[int] = []

    def extend(self, ids: Sequence[int]) -> None:
        """See `gim.decoding.drafts.Draft.extend`."""
        self._ids += ids

    def propose(self, n: int, costs: Costs | None, rng: np.random.Generator) -> Proposal:
        """See `gim.decoding.drafts.Draft.propose`; ``costs`` are unknown to the method."""
        room = len(self._ids) + n
        generator = PromptLookupCandidateGenerator(
            num_output_tokens=min(LOOKUP, n), max_length=room
        )
        found, _ = generator.get_candidates(torch.tensor([self._ids]))  # type: ignore[arg-type]
        tokens = found[0, len(self._ids) :].tolist()
        return Proposal(tokens, [1.0] * len(tokens))


def drafts(tokenizer: Tokenizer, index: str | None) -> dict[str, Callable[[], Draft | None]]:
    """What is compared; plain decoding first."""
    encoder = Encoder.from_pretrained()
    found: dict[str, Callable[[], Draft | None]] = {
        "none": lambda: None,
        "prompt lookup (transformers)": PromptLookup,
        "suffix decoding (plain)": SuffixDecoding,
        "exact": CopyDraft,
        "fuzzy": lambda: StreamDraft(GIM(tokenizer, None, encoder, NEVER)),
    }
    corpus = None if index is None else InfiniGram([index], tokenizer)
    gim, weighted = GIM(tokenizer, corpus, encoder), WeightedGIM(tokenizer, corpus)
    found["GIM"] = lambda: draft_of(gim)
    found["evidence weighed"] = lambda: draft_of(weighted)
    return found


def prompts(tokenizer: Tokenizer, shared: Path, n: int, length: int) -> dict[str, list[np.ndarray]]:
    """Texts to continue: the first tokens of documents that are longer."""

    def first(texts: Iterator[str]) -> list[np.ndarray]:
        encoded = (tokenizer.encode(text[: 12 * length]) for text in texts)
        return [ids[:length] for ids in islice((i for i in encoded if len(i) >= length), n)]

    def corpus(name: str, skip: int = 0) -> Iterator[str]:
        documents = read_documents([str(shared / "corpora" / f"{name}.dev.jsonl.xz")])
        return (document.text[skip:] for document in documents)

    root = Path(__file__).parents[1]
    wikipedia = first(corpus("wikipedia"))
    return {
        "wikipedia": wikipedia,
        "story": first(corpus("gutenberg", 20_000)),  # behind titles and tables of contents
        "code": first(p.read_text(encoding="utf-8") for p in sorted((root / "gim").rglob("*.py"))),
        "repetitive": [np.resize(ids[:PASSAGE], length) for ids in wikipedia],
    }


def measure(reader: Reader, ids: np.ndarray, n: int, make: Callable, costs: Costs) -> Generation:
    """One continuation; what others drafted is sent whole, as they do."""
    own, cpu = None if make in (PromptLookup, SuffixDecoding) else costs, time.process_time
    return speculate(reader.model, make(), ids, n, costs=own, clock=cpu, reader=reader)


def differs(model: Any, ids: np.ndarray, one: np.ndarray, other: np.ndarray) -> str:
    """Whether two continuations are the same, and else if rounding decided."""
    if (one == other).all():
        return "same"
    place = int(np.flatnonzero(one != other)[0])
    with torch.inference_mode():
        text = torch.tensor(np.append(ids, one[:place]))[None]
        best = last_logits(model, text, 1)[0, -1].topk(2).values
    return "tie" if float(best[0] - best[1]) < TIE else "other"


def compare(model: Any, texts: list[np.ndarray], n: int, makers: dict, costs: Costs) -> list[dict]:
    """One row a draft: sums over the prompts, of which each is continued by all drafts in turn."""
    for draft in (make() for make in makers.values()):
        if draft is not None:
            compile_draft(draft, texts[0].tolist(), costs)
    done: dict[str, list[Generation]] = {name: [] for name in makers}
    endings: dict[str, list[str]] = {name: [] for name in makers}
    for ids in texts:
        reader = Reader(model)  # reads the prompt once for all
        for name, make in makers.items():
            done[name].append(measure(reader, ids, n, make, costs))
            endings[name].append(differs(model, ids, done["none"][-1].ids, done[name][-1].ids))
    plain = [g.seconds for g in done["none"]]
    rows = []
    for name, runs in done.items():
        calls, taken = sum(g.calls for g in runs), [g.seconds for g in runs]
        ratios = np.array(plain) / np.array(taken)
        rows.append(
            {
                "draft": name,
                "accepted_per_call": sum(g.accepted for g in runs) / calls,
                "drafted_per_call": sum(g.drafted for g in runs) / calls,
                "ms_per_token": 1000 * sum(taken) / (n * len(runs)),
                "drafting_us_per_call": 1e6 * sum(g.drafting for g in runs) / calls,
                "speed_up": sum(plain) / sum(taken),
                "slowest": float(ratios.min()),
                "fastest": float(ratios.max()),
                **{kind: endings[name].count(kind) for kind in ("same", "tie", "other")},
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="directory of a causal language model")
    parser.add_argument("--index", default=None, help="of a corpus, in the model's own tokens")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--work", type=Path, default=Path("results/speculative"))
    parser.add_argument("--kinds", nargs="*", default=None, help="of text (default: all)")
    args = parser.parse_args()
    shared = corpora()
    model, tokenizer = load_causal(args.model), load_tokenizer(args.model)
    texts = prompts(tokenizer, shared, args.prompts, args.prompt_tokens)
    makers = drafts(tokenizer, args.index)
    path = args.work / "costs.json"
    if not path.exists():
        write_json(path, Costs.measure(model, clock=time.process_time).calls)
    costs = Costs(tuple(json.loads(path.read_text(encoding="utf-8"))), in_seconds=True)
    figures = {}
    for kind, lines in texts.items():
        path = args.work / f"{kind}.json"
        if not path.exists() and kind in (args.kinds or texts):
            write_json(path, compare(model, lines, args.tokens, makers, costs))
        if not path.exists():
            continue
        figures[kind] = json.loads(path.read_text(encoding="utf-8"))
    if len(figures) < len(texts):
        return
    exact = list(makers).index("exact")
    write(
        "speculative",
        f"greedy continuations of {args.prompts} texts a kind, {args.prompt_tokens} tokens, by "
        f"{args.tokens} tokens of {Path(args.model).name} in float32; CPU time of one thread",
        "plain decoding and the other drafts, in the same run",
        parameters=sum(p.numel() for p in model.parameters()),
        milliseconds_of_calls=[1000 * c for c in costs.calls],
        corpus=args.index and Path(args.index).name,
        figures=figures,
        ratio={kind: rows[exact]["speed_up"] for kind, rows in figures.items()},
    )


if __name__ == "__main__":
    execute(main)
