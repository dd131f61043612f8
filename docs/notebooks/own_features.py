# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Features of your own
#
# You have numbers for the words of your stories: ratings by people, the answers of a language model, a parser's counts, the
# loudness of the sound. This page makes a band of them and asks what it explains. The stories and responses are those of
# `make demo`, whose brain is simulated: what must come out is known.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipeline import Run
from pipeline.bands.registry import band_options, kind_of
from pipeline.config.load import complete
from pipeline.core.errors import ProblemError
from pipeline.core.series import pearson
from pipeline.features.eng1000 import load_eng1000
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Design, make_band
from pipeline.fit.options import Alphas, training_folds
from pipeline.fit.regression import Regression

run = Run("../../results/demo")
train, test = run.stories()["train"], run.stories()["test"]
stories = {name: run.story(name) for name in [*train, *test]}

# %% [markdown]
# ## A table a story
#
# One row a word, one column a feature. Let three people have rated every word, each on a scale of their own that has to do
# with its meaning; three directions among the word vectors stand in for them. And let there be the number of letters, of
# which this brain knows nothing.

# %%
space = load_eng1000(run.dataset.eng1000)
words = sorted({word for story in stories.values() for word in story.words["word"]})
vectors = space.vectors(words)
_, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
rated = pd.DataFrame((vectors @ directions[:3].T).round(2), index=words)

folder = Path(tempfile.mkdtemp())
for name, story in stories.items():
    said = story.words["word"]
    table = pd.DataFrame({"index": range(len(said)), "word": said, "letters": said.str.len()})
    table[["ann", "ben", "cleo"]] = rated.loc[said].to_numpy()
    table.to_csv(folder / f"{name}.csv", index=False)
table.head()

# %% [markdown]
# ## A band of it
#
# In a configuration, a band is a name and its options, and a model is a list of bands. `made_by` tells readers of the
# results where the numbers come from; what they look ahead at can only be declared, not audited.

# %%
features = {
    "eng1000": {"n_components": 40},
    "letters": {"kind": "table", "path": f"{folder}/{{story}}.csv", "columns": ["letters"]},
    "raters": {
        "kind": "table",
        "path": f"{folder}/{{story}}.csv",
        "columns": ["ann", "ben", "cleo"],
        "made_by": "three people, who rated single words",
    },
}
models = {"eng1000": ["eng1000"], "letters": ["letters"], "raters": ["raters"]}
config = {key: run.config[key] for key in ("name", "data_root", "subjects", "stories")}
config = complete({**config, "features": features, "models": models})

# %% [markdown]
# A table that does not fit is one clear error, before anything is fitted. Here a row is missing:

# %%
broken = folder / "broken"
broken.mkdir()
pd.read_csv(folder / "test01.csv").iloc[1:].to_csv(broken / "test01.csv", index=False)
options = {**band_options(config, "raters").own, "path": f"{broken}/{{story}}.csv"}
try:
    kind_of("table").compute(stories["test01"], options)
except ProblemError as error:
    print(str(error).replace(str(folder), "TABLES"))

# %% [markdown]
# ## Fit
#
# A word's numbers go to the scanner's time grid by a Lanczos filter, are z-scored within each story, and delayed. Then ridge
# regression, the strength of which is chosen for each voxel on whole training stories held out. The test stories are
# predicted once.

# %%
responses = {name: run.responses(name) for name in stories}
folds = training_folds(train, {s: len(responses[s]) for s in train}, 4, seed=0)
resources = {"eng1000": str(run.dataset.eng1000)}


def band(name):
    """Features of every story at TRs, scaled, with their delays."""
    options = band_options(config, name)
    compute = kind_of(options.kind).compute
    values = {s: compute(story, {**options.own, **resources}) for s, story in stories.items()}
    return make_band(name, values, options, config["delays"], train)


ridges, r = {}, {}
for model, names in models.items():
    design = Design(tuple(band(name) for name in names))
    alphas = Alphas(**config["fit"]["alphas"]).values()
    regression = Regression(design, {s: responses[s] for s in train}, folds, alphas)
    ridges[model] = make_solver("gram", regression).fit(exclude=None)
    predicted = {s: ridges[model].predict(design.rows(s)) for s in test}
    r[model] = np.mean([pearson(predicted[s], responses[s]) for s in test], axis=0)

# %% [markdown]
# ## What do they explain?

# %%
region = run.regions()["truth"]
by_region = pd.DataFrame(r).groupby(region).mean()
axes = by_region.plot.bar(figsize=(8, 2.8), rot=0, color=["0.75", "tab:orange", "tab:blue"])
axes.axhline(0, color="black", linewidth=0.8)
axes.set(xlabel="true region", ylabel="mean r, test stories")
plt.show()
by_region.round(3)

# %% [markdown]
# Three ratings explain part of what 985 numbers do, in A, which follows meaning; letters next to nothing
# anywhere. Both answers are right.
#
# ## Columns keep their names
#
# Nobody can read a component, but everybody can read *ann*. The mean weight of each column, over delays and over the voxels
# of a region:

# %%
n_delays = len(config["delays"])
weights = ridges["raters"].weights.reshape(n_delays, 3, -1).mean(axis=0)
strength = pd.DataFrame(np.abs(weights).T, columns=["ann", "ben", "cleo"]).groupby(region).mean()
strength.div(strength.loc["D"]).round(1).rename_axis("size of the weights, D = 1")

# %% [markdown]
# ## In the workflow
#
# The same as a file beside the configuration, here `mine.yaml`; Snakemake does what is new and nothing else:
#
# ```yaml
# features:
#   raters: {kind: table, path: "tables/{story}.csv", columns: [ann, ben, cleo], made_by: "three people"}
# models:
#   raters: [eng1000, raters]
# ```
#
#     .venv/bin/snakemake --configfile config/demo.yaml mine.yaml
#
# `gains.tsv` then has what the band adds to `eng1000`, with an interval; if its model is named under `keep`, the profile of
# its columns by region is written, too. Formats, rows a TR, joining by onset: [data](../data.md#features-that-others-made).
# A band that is computed instead of read is one file of Python: [extending](../extending.md).
#
# **Next.** [Data of your own](own_data.py).

# %% tags=["remove-cell"]
assert by_region.loc["A", "raters"] > 0.2 and by_region.loc["A", "eng1000"] > 0.5, by_region
assert by_region["letters"].abs().max() < 0.1, by_region
assert by_region.drop("A")["raters"].abs().max() < 0.1, by_region
