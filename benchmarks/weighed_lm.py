"""Where GIM stands as a language model: ``python -m benchmarks.weighed_lm --work DIR``.

Runs `gim eval` on the dev split of each corpus, which skips what is there, and puts the tables into
``docs/results_lm.md`` and the figures into ``benchmarks/results/weighed_lm.json``.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.common import corpora, execute, write
from benchmarks.results_lm import CORPORA, PAGE, SAMPLES, run_step
from gim.files import write_text

BEGIN, END = "<!-- weighed -->", "<!-- end of weighed -->"
ROWS = {
    "exact": "exact induction",
    "fuzzy": "fuzzy induction, shipped encoder",
    "infinigram": "Infini-Gram (train split)",
    "gim-tau1": "GIM, Eq. 5, tau 1",
    "gim-tau2": "GIM, tau 2",
    "gim-tau3": "GIM, tau 3",
    "gim": "GIM, tau 8 (published)",
    "prompt-lookup": "prompt lookup",
    "kneser-ney": "modified Kneser-Ney, order 5",
    "kneser-ney+cache": "the same + cache of the context, one weight",
    "kneser-ney+exact": "the same + exact induction, one weight",
    "weighted": "**evidence weighed**, shipped weights",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("results/lm_weighed"))
    args = parser.parse_args()
    shared = corpora()
    for corpus in CORPORA:
        _run(corpus, shared, args.work)
    found = {c: _tables(args.work / c) for c in CORPORA}
    text = "\n\n".join([_standing(found), _paired(found)])
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    write_text(PAGE, f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
    figures = {
        corpus: {"summary": summary.to_dict("records"), "paired": paired.to_dict("records")}
        for corpus, (summary, paired) in found.items()
    }
    write("weighed_lm", "evidence weighed on dev splits", "the other rows", **figures)


def _run(corpus: str, shared: Path, work: Path) -> None:
    train, dev = (str(shared / "corpora" / f"{corpus}.{p}.jsonl.xz") for p in ("train", "dev"))
    tokenizer = ["--tokenizer", str(shared / "tokenizers" / "gpt2")]
    index = work / f"{corpus}.index"
    documents, positions = map(str, SAMPLES[corpus])
    if not (work / corpus).exists():
        run_step(index, ["index", train, *tokenizer])
    arguments = ["eval", dev, *tokenizer, "--index", str(index), "--weighted", "--stride", "1"]
    arguments += ["--documents", documents, "--positions", positions, "--other-taus", "1", "2", "3"]
    run_step(work / corpus, arguments)


def _tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(pd.read_csv(folder / f"{n}.tsv", sep="\t") for n in ("summary", "paired"))  # type: ignore[return-value]


def _standing(found: dict) -> str:
    """Strict accuracy, nats and bits a byte of every model."""
    sizes = {c: summary.iloc[0] for c, (summary, _) in found.items()}
    heads = [f"{c} ({s['documents']} documents, {s['positions']:,})" for c, s in sizes.items()]
    lines = [f"| % / nats a token / bits a byte | {' | '.join(heads)} |", "|---|---|---|---|"]
    for name, label in ROWS.items():
        cells = []
        for summary, _ in found.values():
            row = summary.set_index("model").loc[name]
            nats = f"{-row['logprob']:.2f}" if name != "prompt-lookup" else "-"
            bits = f"{row['bits_per_byte']:.2f}" if name != "prompt-lookup" else "-"
            cells.append(f"{100 * row['acc_strict']:.1f} / {nats} / {bits}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _paired(found: dict) -> str:
    """What weighing has over each other model, with intervals."""
    lines = [f"| weighed over | {' | '.join(found)} |", "|---|---|---|---|"]
    for name, label in ROWS.items():
        if name in ("weighted", "prompt-lookup"):
            continue
        cells = []
        for _, paired in found.values():
            row = paired.set_index("over").loc[name]
            low, high = (100 * row[f"acc_strict_{end}"] for end in ("lo", "hi"))
            nats = f"{row['logprob']:+.2f} ({row['logprob_lo']:+.2f} to {row['logprob_hi']:+.2f})"
            cells.append(f"{100 * row['acc_strict']:+.1f} ({low:+.1f} to {high:+.1f}); {nats}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    execute(main)
