"""Induction heads of a real language model: ``python -m benchmarks.heads --model DIR``.

Scores of all heads on random tokens and on text, whether they look where GIM's evidence is, and
what the model loses without them: figures, and ``docs/images/induction_heads.png``.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from benchmarks.common import corpora, execute, write
from gim.causal.ablation import (
    best_heads,
    conditions,
    losses_without,
    mean_outputs,
    random_heads,
)
from gim.causal.heads import head_scores, text_scores
from gim.causal.heads_report import draw_heads
from gim.causal.model import load_causal
from gim.causal.overlap import text_overlap
from gim.encoder.encoder import Encoder
from gim.files import write_json
from gim.induction.fuzzy import as_metric
from gim.text.pieces import read_pieces
from gim.text.tokenizer import Tokenizer, load_tokenizer

CORPORA = ("wikipedia", "gutenberg", "ted")
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "induction_heads.png"
MEANS = 3  # further pieces, of which the mean outputs are taken
BEST = 8
DRAWS = 20


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="directory of a causal language model")
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--length", type=int, default=384, help="tokens of a piece")
    parser.add_argument(
        "--work", type=Path, default=Path("results/heads"), help="skips what is there"
    )
    args = parser.parse_args()
    shared = corpora()
    model, tokenizer = load_causal(args.model), load_tokenizer(args.model)
    files = [shared / "corpora" / f"{name}.dev.jsonl.xz" for name in CORPORA]
    pieces = read_pieces(files, tokenizer, args.length, args.pieces + MEANS)
    pieces, others = pieces[: args.pieces], pieces[args.pieces :]
    table = pd.DataFrame(_kept(args.work / "table.json", lambda: _table(model, tokenizer, pieces)))
    means, rows = mean_outputs(model, others), []
    for kind, draw, heads in conditions(table, (4, BEST), DRAWS):
        path = args.work / f"{kind}_{len(heads)}_{draw}.json"
        found = _kept(path, partial(losses_without, model, heads, means, pieces))
        rows.append({"kind": kind, "heads": len(heads), "draw": draw, **found})
        print(rows[-1], flush=True)
    losses = pd.DataFrame(rows)
    draw_heads(table, FIGURE, losses)
    write(
        "heads",
        f"the {len(table)} heads of {Path(args.model).name}: chosen on 8 x 100 repeated random "
        f"tokens, seen on {args.pieces} pieces of {args.length} tokens of dev sets",
        f"{DRAWS} draws of {BEST} random heads of the same layers; distance alone",
        corpora=CORPORA,
        best=[list(head) for head in best_heads(table, BEST)],
        groups=_groups(table),
        spearman=_rank_correlations(table),
        change=_changes(losses),
        ablation=losses.round(5).to_dict("records"),
        heads=table.round(4).to_dict("records"),
    )


def _kept(path: Path, make: Callable[[], Any]) -> Any:
    """What was written there, or is made and written there now."""
    if not path.exists():
        write_json(path, make())
    return json.loads(path.read_text(encoding="utf-8"))


def _table(model: Any, tokenizer: Tokenizer, pieces: list[np.ndarray]) -> list[dict]:
    table, metric = head_scores(model), as_metric(Encoder.from_pretrained())
    for more in (text_scores(model, pieces), text_overlap(model, pieces, metric, tokenizer)):
        table[more.columns] = more
    return table.to_dict("records")


def _groups(table: pd.DataFrame) -> dict[str, dict]:
    """Means of the best heads, of as many random ones of their layers, and of all."""
    best = best_heads(table, BEST)
    drawn = [head for seed in range(DRAWS) for head in random_heads(table, best, seed)]
    values = table.set_index(["layer", "head"])
    parts = {"best": values.loc[best], "random of their layers": values.loc[drawn], "all": values}
    return {name: part.mean().to_dict() for name, part in parts.items()}


def _rank_correlations(table: pd.DataFrame) -> dict[str, float]:
    """Over all heads, of prefix matching on random tokens with what is seen on text."""
    found: dict[str, Any] = {"text_matching": table["text_matching"]}
    for kind in ("exact", "fuzzy", "fuzzy_alone"):
        found[f"{kind} over chance"] = table[kind] - table[f"{kind}_chance"]
    return {k: float(spearmanr(table["prefix_matching"], v).statistic) for k, v in found.items()}


def _changes(losses: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of each loss: without the best heads, and mean, least and most without random ones."""
    names = ["all", "copied", "other", "in_context"]
    whole = losses[losses["kind"] == "none"].iloc[0]
    best = losses[(losses["kind"] == "best") & (losses["heads"] == BEST)].iloc[0]
    drawn = losses[losses["kind"] == "random"]
    out = {}
    for name in names:
        random = drawn[name] - whole[name]
        least, most = float(random.min()), float(random.max())
        parts = {"best": float(best[name] - whole[name]), "random": float(random.mean())}
        out[name] = {**parts, "random_least": least, "random_most": most}
    return out


if __name__ == "__main__":
    execute(main)
