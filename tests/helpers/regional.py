"""A small dataset of named regions: a table a subject and story, of which some regions hear words.

The first half of the regions follows how many words there are, the others are noise: what must be
found is known.
"""

import numpy as np

REGIONS = ["STG", "IFG", "AG", "MTG", "PCC", "V1"]
STORIES = ["one", "two", "three", "four", "five"]
TR, N_ROWS = 2.0, 100
VOCABULARY = ["so", "it", "was", "the", "old", "house", "and", "she", "went", "home"]


def write_dataset(root, n_subjects=27, *, regions=REGIONS, n_rows=N_ROWS, orders=None, seed=0):
    """Write tables and transcripts under `root`; returns the subjects.

    Parameters
    ----------
    orders : dict of subject to list of str, optional
        Regions of these subjects' tables, in the order of the columns.
    """
    rng = np.random.default_rng(seed)
    subjects = [f"S{i:02}" for i in range(1, n_subjects + 1)]
    (root / "words").mkdir(parents=True)
    for story in STORIES:
        rate = _write_words(root / "words" / f"{story}.tsv", rng, n_rows)
        for subject in subjects:
            folder = root / subject
            folder.mkdir(exist_ok=True)
            values = {name: rng.standard_normal(n_rows) for name in regions}
            for name in regions[: len(regions) // 2]:
                values[name] = values[name] + rate
            names = (orders or {}).get(subject, regions)
            rows = zip(*(values[name] for name in names), strict=True)
            lines = ["\t".join(names), *("\t".join(f"{v:.4f}" for v in row) for row in rows)]
            (folder / f"{story}.tsv").write_text("\n".join(lines) + "\n")
    return subjects


def _write_words(path, rng, n_rows):
    """Write words in bursts; returns how many there are a row, two rows later, scaled."""
    rates, onset, lines, onsets = rng.uniform(0.3, 4, n_rows), 0.0, ["onset\tduration\tword"], []
    while onset < n_rows * TR - 2:
        length = 1 / rates[int(onset / TR)]
        lines.append(f"{onset:.3f}\t{length:.3f}\t{rng.choice(VOCABULARY)}")
        onsets.append(onset)
        onset += length
    path.write_text("\n".join(lines) + "\n")
    rate = np.bincount((np.array(onsets) / TR).astype(int), minlength=n_rows)
    delayed = np.r_[np.full(2, rate.mean()), rate[:-2]]
    return (delayed - delayed.mean()) / delayed.std()


def configuration(root, subjects, **changes):
    """Five models of such a dataset, four of them with past BOLD."""
    return {
        "name": "regional",
        "data_root": str(root),
        "subjects": {subject: {} for subject in subjects},
        "stories": {"train": STORIES[:4], "test": STORIES[4:]},
        "transcripts": {"path": "words/{story}.tsv"},
        "responses": {"path": "{subject}/{story}.tsv", "volumes": None, "zscore": True},
        "timing": {"tr": TR, "sound_start": 0, "unused_volumes": 0, "trim": [0, 0]},
        "features": {b: {} for b in ("wordrate", "position", "drift", "ngramlag", "ngram")},
        "models": {
            "wordrate": ["wordrate"],
            "position": ["wordrate", "position"],
            "drift": ["wordrate", "drift"],
            "ngramlag": ["wordrate", "drift", "ngramlag"],
            "ngram": ["wordrate", "drift", "ngramlag", "ngram"],
        },
        "baseline": "wordrate",
        "response_components": 4,
        "fit": {"n_folds": 4, "threads": 1, "alphas": {"min": 0, "max": 4, "n": 5}},
        "statistics": {"permutations": 200, "min_shift": 10, "block": 10},
        **changes,
    }
