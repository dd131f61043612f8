"""Made-up stories for tests."""

import numpy as np
import pandas as pd

from pipeline.dataset.grid import Grid
from pipeline.dataset.story import Story


def story(words, n_rows=60, words_per_row=3, name="story"):
    """Story with `words_per_row` evenly spaced words a TR, from the start of the sound on."""
    grid = Grid(n_scanned=n_rows + 20)
    onsets = np.arange(len(words)) * grid.tr / words_per_row
    table = pd.DataFrame({"word": words, "onset": onsets, "offset": onsets + 0.3})
    return Story(name, table, grid)


def random_story(rng, n_rows=60, words_per_row=3, vocabulary=8, name="story"):
    """Story of random words that fill the scan."""
    words = [f"w{k}" for k in rng.integers(0, vocabulary, (n_rows + 5) * words_per_row)]
    return story(words, n_rows, words_per_row, name)
