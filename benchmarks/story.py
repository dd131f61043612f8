"""A story of 2,000 words through all that GIM makes of it: ``python -m benchmarks.story INDEX``.

The index is of the shipped tokenizer (`gim index CORPUS --out INDEX`); opening it, and loading the
encoder, is not counted.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.common import corpora, execute, need, seconds, write
from gim.text.corpus import read_documents
from gim.text.tokenizer import Tokenizer
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import Eng1000
from pipeline.embedding.expectation import load_weighing
from pipeline.features import expected, induction
from pipeline.matchers import gim, gimexact, infinigram

WORDS = 2_000
PACE = 0.4  # seconds a word
BASIS = 985  # numbers of a word vector, as in the dataset's English1000
NEWEST = 5  # rows back, from which on a row may be matched


def read_story() -> tuple[Story, str]:
    """The first talk that is long enough, at an even pace."""
    path = corpora() / "corpora" / "ted.dev.jsonl.xz"
    texts = (document.text.split() for document in read_documents([path]))
    words = next(words for words in texts if len(words) >= WORDS)[:WORDS]
    onset = PACE * np.arange(WORDS)
    table = pd.DataFrame({"word": words, "onset": onset, "offset": onset + 0.9 * PACE})
    return Story("talk", table, Grid(int(PACE * WORDS / 2) + 25)), path.name


def save_space(path: Path, tokenizer: Tokenizer) -> None:
    """Random vectors of the words that the tokenizer knows whole: time does not depend on them."""
    pieces = [piece.decode("utf-8", "replace") for piece in tokenizer.table]
    words = sorted({piece[1:].lower() for piece in pieces if piece[:1] == " "} - {""})
    words = [word for word in words if word.isalpha()]
    data = np.random.default_rng(0).standard_normal((BASIS, len(words)), np.float32)
    Eng1000(data, words).save(path)


def parts(story: Story, index: str, space: str) -> dict[str, Callable[[], Any]]:
    """What is made of a story, by name."""
    newest = np.arange(story.grid.n_rows) - NEWEST
    weighed: Mapping[str, Any] = {"index": index, "eng1000": space}

    def matches(matcher: Any) -> Any:
        options = {**matcher.OPTIONS, "index": index}
        return matcher.match(story, newest, np.random.default_rng(0), options)

    def features(module: Any, **options: Any) -> Any:
        return module.compute(story, {**module.KIND.options, **weighed, **options})

    return {
        "matches of exact induction": lambda: matches(gimexact),
        "matches of fuzzy induction": lambda: matches(gim),
        "matches by the corpus": lambda: matches(infinigram),
        "induction": lambda: features(induction, index=None),
        "induction, evidence weighed": lambda: features(induction, weighted=True),
        "expected": lambda: features(expected),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    args = parser.parse_args()
    need(args.index, "gim index CORPUS... --out INDEX")
    torch.set_num_threads(1)
    story, source = read_story()
    model = load_weighing({**induction.KIND.options, "index": args.index})
    with tempfile.TemporaryDirectory() as folder:
        space = str(Path(folder) / "space.hf5")
        save_space(Path(space), model.tokenizer)
        runs = parts(story, args.index, space)
        for run in runs.values():  # compile, load, and read the tables
            run()
        alone = {name: seconds(run, 5) for name, run in runs.items()}
    write(
        "story",
        f"a story of {WORDS} words through every GIM feature and matcher, index open",
        "",
        data=f"{Path(args.index).name}, {source}",
        corpus_tokens=model.index.n_tokens if model.index else 0,
        seconds=alone,
        total=sum(alone.values()),
    )


if __name__ == "__main__":
    execute(main)
