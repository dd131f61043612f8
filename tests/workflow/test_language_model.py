"""The side job: GIM as a language model, evaluated by the workflow."""

import json

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow


def write_corpus(path, seed, n_documents=12):
    """Documents that repeat phrases of their own, so that induction has something to copy."""
    rng = np.random.default_rng(seed)
    lines = []
    for k in range(n_documents):
        phrases = [" ".join(f"word{w}" for w in rng.integers(0, 300, 12)) for _ in range(4)]
        text = ". ".join(phrases[i] for i in rng.integers(0, 4, 12))
        lines.append(json.dumps({"title": str(k), "text": text}))
    path.write_text("\n".join(lines))
    return str(path)


def test_lm_eval(project):
    lm = {
        "train": [write_corpus(project.folder / "train.jsonl", 0)],
        "evaluate": [write_corpus(project.folder / "dev.jsonl", 1)],
        "context": 64,
        "stride": 1,
        "hold_out": 4,
        "tune_stride": 4,
    }
    config = project.configure("tiny", lm=lm)
    project.snakemake(config, "lm_eval")
    folder = project.results("tiny") / "lm" / "eval"
    table = pd.read_csv(folder / "summary.tsv", sep="\t").set_index("model")
    accuracy = table["acc_strict"]
    assert accuracy["exact"] > accuracy["unigram"] + 0.1  # the phrases are new, and repeated
    assert any(name.startswith("gim") for name in table.index)
    assert (folder / "eval.png").stat().st_size > 0
    tau = pd.read_csv(project.results("tiny") / "lm" / "tau.tsv", sep="\t")
    assert {"tau", "acc_strict"} <= set(tau.columns)
    # Tau and weights that were fitted are those that were used.
    fitted = json.loads((project.results("tiny") / "lm" / "weights.json").read_text())
    assert json.loads((folder / "eval.json").read_text())["tau"] == fitted["tau"]["value"]
    assert table["logprob"]["weighted"] > table["logprob"]["kneser-ney"]


def test_a_missing_corpus_is_said_plainly(project):
    config = project.configure("tiny", lm={"train": ["no.jsonl"], "evaluate": ["no.jsonl"]})
    done = project.snakemake(config, "lm_eval", check=False)
    assert done.returncode != 0
    assert "no.jsonl" in done.stdout + done.stderr
