"""A story of 2,000 words through all that GIM makes of it: ``python -m benchmarks.story INDEX``.

The index is of the shipped tokenizer (`gim index CORPUS --out INDEX`); opening it, and loading the
encoder, is not counted.
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.common import corpora, execute, need, seconds, write
from gim.induction.columns import COLUMNS
from gim.induction.columns import columns as induction_columns
from gim.induction.reading import read
from gim.text.corpus import read_documents
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import SOURCES
from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story
from pipeline.embedding.eng1000 import Eng1000
from pipeline.embedding.expectation import OPTIONS, encoded, expectations, load_weighing
from pipeline.features import expected, induction
from pipeline.features.encoder import load_encoder
from pipeline.features.eng1000 import load_eng1000
from pipeline.matchers import gim, gimexact, infinigram
from pipeline.matching.similarity import match_states

WORDS = 2_000
PACE = 0.4  # seconds a word
SPACE = (985, 10_470)  # numbers of a word vector, and words: the dataset's English1000
NEWEST = 5  # rows back, from which on a row may be matched


def read_story() -> tuple[Story, str]:
    """The first talk that is long enough, at an even pace."""
    path = corpora() / "corpora" / "ted.dev.jsonl.xz"
    texts = (document.text.split() for document in read_documents([path]))
    words = next(words for words in texts if len(words) >= WORDS)[:WORDS]
    onset = PACE * np.arange(WORDS)
    table = pd.DataFrame({"word": words, "onset": onset, "offset": onset + 0.9 * PACE})
    return Story("talk", table, Grid(int(PACE * WORDS / 2) + 25)), path.name


def save_space(path: Path) -> None:
    """Random vectors of the most frequent words: how long it takes does not depend on them."""
    names = [f"{name}.dev.jsonl.xz" for name in ("gutenberg", "ted", "wikipedia")]
    documents = read_documents([corpora() / "corpora" / name for name in names])
    counts = Counter(word for d in documents for word in re.findall("[a-z]+", d.text.lower()))
    words = [word for word, _ in counts.most_common(SPACE[1])]
    Eng1000(np.random.default_rng(0).standard_normal(SPACE, np.float32), words).save(path)


def once(story: Story, index: str, space: Eng1000) -> dict[str, Callable[[], Any]]:
    """All that features and matches are made of, each made once."""
    words, encoder, model = story.words["word"].tolist(), load_encoder(None), load_model(index)
    made = encoded(model, words)
    assert made is not None  # the shipped tokenizer's tokens end where words do
    of_tokens, states = made
    newest, rng = np.arange(story.grid.n_rows) - NEWEST, np.random.default_rng(0)

    def alike(a: Any, b: Any) -> Any:
        return encoder.similarity(states[a], states[b])

    columns = np.zeros((WORDS, len(COLUMNS) + len(SOURCES) + 2 * SPACE[0] + 3))
    return {
        "matches of exact induction": lambda: gimexact.match(story, newest, rng, gimexact.OPTIONS),
        "matches by the corpus": lambda: infinigram.match(
            story, newest, rng, {**infinigram.OPTIONS, "index": index}
        ),
        "states of the encoder": lambda: encoded(model, words),
        "matches of fuzzy induction": lambda: match_states(story, newest, alike, gim.OPTIONS),
        "induction features": lambda: induction_columns(read(words, encoder, states=states)),
        "evidence weighed: surprisal, entropy, sources": lambda: expectations(
            model, words, states=of_tokens
        ),
        "evidence weighed: the word vector expected besides": lambda: expectations(
            model, words, space, of_tokens
        ),
        "words to rows": lambda: story.to_rows(columns, "lanczos"),
    }


def bands(story: Story, index: str, space: str) -> dict[str, Callable[[], Any]]:
    """The workflow's features and matches by name, each with all that it needs."""
    newest, rng = np.arange(story.grid.n_rows) - NEWEST, np.random.default_rng(0)

    def features(module: Any, **options: Any) -> Any:
        return module.compute(story, {**module.KIND.options, "eng1000": space, **options})

    return {
        "gimexact": lambda: gimexact.match(story, newest, rng, gimexact.OPTIONS),
        "gim": lambda: gim.match(story, newest, rng, gim.OPTIONS),
        "infinigram": lambda: infinigram.match(
            story, newest, rng, {**infinigram.OPTIONS, "index": index}
        ),
        "induction": lambda: features(induction),
        "induction, weighted, with index": lambda: features(induction, weighted=True, index=index),
        "expected, with index": lambda: features(expected, index=index),
    }


def load_model(index: str) -> WeightedGIM:
    """The predictor that the features of this index use."""
    return load_weighing({**OPTIONS, "index": index})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    args = parser.parse_args()
    need(args.index, "gim index CORPUS... --out INDEX")
    torch.set_num_threads(1)
    story, source = read_story()
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "space.hf5"
        save_space(space)
        parts = once(story, args.index, load_eng1000(space))
        alone = bands(story, args.index, str(space))
        for run in (*parts.values(), *alone.values()):  # compile, load, and read the tables
            run()
        cost = {name: seconds(run, 5) for name, run in parts.items()}
        expect, weigh = (name for name in reversed(cost) if name.startswith("evidence"))
        cost[expect] -= cost[weigh]
        whole = {name: seconds(run, 5) for name, run in alone.items()}
    write(
        "story",
        f"a story of {WORDS:,} words through all that GIM makes of it, each part once; index open",
        "the bands of the workflow one by one, each with all that it needs",
        data=f"{source}, {Path(args.index).name}",
        tokens_of_the_index=load_model(args.index).index.n_tokens,  # type: ignore[union-attr]
        word_space=list(SPACE),
        seconds=cost,
        total=sum(cost.values()),
        alternative_seconds=whole,
        alternative_total=sum(whole.values()),
        ratio=sum(whole.values()) / sum(cost.values()),
        limit="the encoder's products, a pass over the vocabulary, and 1,024 votes a token",
    )


if __name__ == "__main__":
    execute(main)
