"""All tables of ``docs/results_lm.md``, unattended: ``python -m benchmarks.results_lm``.

Every step is skipped if its output is there, so that an interrupted run goes on; the tables replace
those of the page.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from benchmarks.common import execute, shared_folder
from gim.cli import main as gim
from gim.errors import InputError
from gim.evaluation.report import to_markdown
from gim.evaluation.tune import best_tau
from gim.files import write_text
from gim.provenance import commit

CORPORA = ("gutenberg", "wikipedia", "ted")
# Documents and positions of each for the comparison of metrics: about 12,000 positions a set.
SAMPLES = {"gutenberg": (12, 1024), "wikipedia": (48, 256), "ted": (48, 256)}
METRICS = ("random", "last-token", "bag", "static")
TAUS = (1, 2, 3, 4, 6, 8, 12)  # shown
PAGE = Path(__file__).parents[1] / "docs" / "results_lm.md"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def main() -> None:
    """Run what is missing, then write the page."""
    shared = shared_folder()
    needed = shared is None
    folder = shared or Path()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=needed, default=folder / "corpora")
    default = str(folder / "tokenizers" / "gpt2")
    parser.add_argument("--tokenizer", required=needed, default=default, help="of GPT-2")
    parser.add_argument("--encoder", default=None, help="default: the shipped one")
    parser.add_argument("--teacher", default=None, help="of the comparison of metrics")
    parser.add_argument("--work", type=Path, default=Path("results/lm_tables"))
    args = parser.parse_args()
    for corpus in CORPORA:
        _run(corpus, args)
    sections = [section for corpus in CORPORA for section in _sections(corpus, args.work)]
    text = "\n".join([_encoder(args), *sections])
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    write_text(PAGE, f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")


def _run(corpus: str, args: argparse.Namespace) -> None:
    """Index, tau, both strides, comparison of metrics."""
    folder = args.work / corpus
    train, dev = (str(args.corpora / f"{corpus}.{part}.jsonl.xz") for part in ("train", "dev"))
    index, tau = folder / "index", folder / "tau.tsv"
    tokenizer = ["--tokenizer", args.tokenizer]
    model = [*tokenizer, *(["--encoder", args.encoder] if args.encoder else [])]
    run_step(index, ["index", train, *tokenizer])
    run_step(tau, ["tune", train, *model, "--every", "40", "--stride", "16"])
    best = best_tau(pd.read_csv(tau, sep="\t"))
    model += ["--index", str(index), "--tau", str(best)]
    if best != 8:
        model += ["--other-taus", "8"]
    for stride in ("512", "1"):
        run_step(folder / f"stride{stride}", ["eval", dev, *model, "--stride", stride])
    if args.teacher:
        documents, positions = map(str, SAMPLES[corpus])
        sample = ["--stride", "1", "--documents", documents, "--positions", positions]
        compared = ["--metrics", *METRICS, "--teacher", args.teacher]
        run_step(folder / "metrics", ["eval", dev, *model, *sample, *compared])


def _encoder(args: argparse.Namespace) -> str:
    encoder = Path(args.encoder).name if args.encoder else "the shipped one"
    teacher = f", teacher: {Path(args.teacher).name}" if args.teacher else ""
    return f"Encoder: {encoder}{teacher}. Commit {commit()}.\n"


def run_step(out: Path, arguments: list[str]) -> None:
    """Run a command of `gim` whose output goes to ``out``, unless that is there."""
    if out.exists():  # outputs appear whole
        return
    partial = out.with_name(f"{out.name}.partial")
    if gim([*arguments, "--out", str(partial)]):
        raise InputError(f"gim {' '.join(arguments)} failed; its message is above")
    partial.rename(out)


def _sections(corpus: str, work: Path) -> list[str]:
    """The part of the page about one corpus."""
    folder = work / corpus
    settings = json.loads((folder / "stride1" / "eval.json").read_text(encoding="utf-8"))
    tau = pd.read_csv(folder / "tau.tsv", sep="\t").set_index("tau").loc[list(TAUS)].reset_index()
    shown = tau[["tau"]].astype(str).assign(acc_strict=_interval(tau, "acc_strict"))
    shown = shown.join(tau[["logprob", "fuzzy_share"]])
    parts = [f"### {corpus} (tau {settings['tau']})\n"]
    parts += ["tau on held-out training documents:\n", to_markdown(shown), ""]
    for stride, what in (("512", "every 512th position"), ("1", "every position")):
        table = pd.read_csv(folder / f"stride{stride}" / "summary.tsv", sep="\t")
        parts += [_title(f"{corpus}, {what}", table), to_markdown(_accuracies(table)), ""]
    source = pd.read_csv(folder / "stride1" / "by_component.tsv", sep="\t")
    parts += ["GIM by answering component, every position:\n", to_markdown(source), ""]
    if (folder / "metrics").exists():
        table = pd.read_csv(folder / "metrics" / "summary.tsv", sep="\t")
        title = f"{corpus}, metrics of fuzzy induction, a sample"
        parts += [_title(title, table), to_markdown(_accuracies(table)), ""]
        table = pd.read_csv(folder / "metrics" / "retrieval.tsv", sep="\t")
        title = f"The teacher's nearest neighbour among 512, {table['queries'][0]:,} queries:\n"
        parts += [title, to_markdown(_retrieval(table)), ""]
    return parts


def _title(what: str, table: pd.DataFrame) -> str:
    return f"{what}: {table['documents'][0]:,} documents, {table['positions'][0]:,} positions.\n"


def _accuracies(table: pd.DataFrame) -> pd.DataFrame:
    columns = ["acc_expected", "acc_optimistic", "recall5", "logprob"]
    out = table[["model"]].assign(acc_strict=_interval(table, "acc_strict"))
    out["over_exact"] = _interval(table, "over_exact")
    return out.join(table[columns])


def _retrieval(table: pd.DataFrame) -> pd.DataFrame:
    names = ("recall1", "recall5", "spearman")
    return table[["metric"]].assign(**{name: _interval(table, name) for name in names})


def _interval(table: pd.DataFrame, name: str) -> list[str]:
    """In percent, with the 95 % interval."""
    rows = zip(table[name], table[f"{name}_lo"], table[f"{name}_hi"], strict=True)
    return [f"{100 * m:.1f} ({100 * lo:.1f} to {100 * hi:.1f})" for m, lo, hi in rows]


if __name__ == "__main__":
    execute(main)
