# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # GIM in himalaya
#
# [himalaya](https://github.com/gallantlab/himalaya) fits banded ridge regressions of its own, with a kernel for each feature
# space. The features here are scikit-learn transformers, so they stand in its `ColumnKernelizer` like any others: stories go
# in, responses come out. (Stories and responses are those of `make demo`; yours need `Story(name, words, Grid(...))`, a table
# of words with onsets and the scanner's timing.)

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from himalaya.kernel_ridge import ColumnKernelizer, MultipleKernelRidgeCV
from himalaya.scoring import r2_score_split
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from gim.sklearn import InductionFeatures
from pipeline import Run
from pipeline.core.series import pearson
from pipeline.features.eng1000 import load_eng1000
from pipeline.sklearn import ToRows

run = Run("../../results/demo")
train, test = run.stories()["train"][:4], run.stories()["test"]  # four, to be quick

# %% [markdown]
# ## From words to numbers
#
# `gim.sklearn` takes stories as lists of words and gives a row a word. `InductionFeatures` is what a reader who only copies
# from the story so far makes of each word: how surprising, how long a match, how often said before.

# %%
words = run.story(test[0]).words["word"].tolist()
induction = InductionFeatures()
rows = induction.fit_transform([words])[0]
pd.DataFrame(rows, columns=induction.get_feature_names_out(), index=words).round(2).iloc[60:66]

# %% [markdown]
# ## From words to TRs
#
# `ToRows` brings what such a transformer gives to the scanner's time grid (Lanczos filter), z-scores it within each story and
# delays it. Any other transformer that gives an array a story does as well, such as a function for word vectors.

# %%
space = load_eng1000(run.dataset.eng1000)


def word_vectors(stories):
    """Vectors of the words of each story."""
    return [space.vectors(words) for words in stories]


def ones(stories):
    """A one a word: summed over a TR, the rate of words."""
    return [np.ones((len(words), 1)) for words in stories]


bands = {
    "eng1000": ToRows(FunctionTransformer(word_vectors)),
    "rate": ToRows(FunctionTransformer(ones), downsample="sum"),
    "induction": ToRows(InductionFeatures()),
}

# %% [markdown]
# ## A kernel for each
#
# The input is a table with a story in each row. Every band reads the same column, and its kernel has a row for each TR of all
# stories. Folds are whole stories, as neighbouring TRs are too alike to be shared out.


# %%
def table(names):
    """A row a story."""
    return pd.DataFrame({"story": [run.story(name) for name in names]})


responses = {s: run.responses(s) for s in [*train, *test]}
fold = np.repeat(np.arange(len(train)) % 4, [len(responses[s]) for s in train])

model = make_pipeline(
    ColumnKernelizer([(name, band, "story") for name, band in bands.items()]),
    MultipleKernelRidgeCV(
        kernels="precomputed",
        solver="random_search",
        solver_params={"n_iter": 4, "alphas": np.logspace(1, 4, 4), "progress_bar": False},
        cv=PredefinedSplit(fold),
        random_state=0,
    ),
)
model.fit(table(train), np.concatenate([responses[s] for s in train]).astype(np.float32))
prediction = model.predict(table(test))

# %% [markdown]
# ## What came of it
#
# The r of each voxel on the test stories, beside that of the workflow's own model of word vectors, which has
# learned from all eight training stories:

# %%
ends = np.cumsum([len(responses[s]) for s in test])[:-1]
r = np.mean(
    [pearson(p, responses[s]) for p, s in zip(np.split(prediction, ends), test, strict=True)],
    axis=0,
)
region = run.regions()["truth"]
by_region = (
    pd.DataFrame({"himalaya": r, "workflow": run.scores("eng1000").r}).groupby(region).mean()
)
axes = by_region.plot.bar(figsize=(7, 2.6), rot=0, color=["tab:orange", "0.6"])
axes.axhline(0, color="black", linewidth=0.8)
axes.set(xlabel="true region", ylabel="mean r, test stories")
plt.show()
by_region.round(3)

# %% [markdown]
# Region A, which follows meaning, is found by both. And which band is it? himalaya splits R² among the kernels:

# %%
parts = model[-1].predict(model[:-1].transform(table(test)), split=True)
measured = np.concatenate([responses[s] for s in test]).astype(np.float32)
shares = pd.DataFrame(r2_score_split(measured, parts).T, columns=list(bands)).groupby(region).mean()
shares.rename_axis("share of R²").round(3)

# %% [markdown]
# Word vectors have it. In this brain nothing follows surprise, and the fit agrees.

# %% tags=["remove-cell"]
assert by_region.loc["A", "himalaya"] > 0.7 * by_region.loc["A", "workflow"] > 0.1, by_region
assert shares.loc["A", "eng1000"] > 0.2 and shares["induction"].abs().max() < 0.05, shares
