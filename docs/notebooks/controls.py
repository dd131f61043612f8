# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Controls, and why
#
# Induction matching copies the brain's own response: at each moment, look back in the same story for the moment whose context
# is like the present one, and use what the BOLD did after it. Such features predict well. Does the brain then use induction?
# Not yet: BOLD drifts and lasts, so that *any* earlier moment tells something of the present one. This page shows on the
# simulated subject of `make demo`, whose truth is known, which comparison tells language from that.

# %%
import matplotlib.pyplot as plt
import pandas as pd

from pipeline import Run

run = Run("../../results/demo")
region = run.regions()["truth"]
r = pd.DataFrame({model: run.scores(model).r_cv for model in run.models})
by_region = r.groupby(region).mean()

# %% [markdown]
# Region A follows the words' meaning, **B the events of the story**, C its own past, D nothing. What an event evokes is drawn
# anew for each story: only the BOLD after its earlier telling knows. So a matcher that finds earlier tellings must help in B,
# and nowhere else.
#
# ## The wrong comparison
#
# Each matcher beside word vectors alone (`eng1000`). `random` copies from an earlier moment drawn by lot. All r here are
# cross-validated over the training stories.

# %%
wrong = by_region[["random", "ngram", "gim", "oracle"]].sub(by_region["eng1000"], axis=0)
axes = wrong.T.plot.bar(figsize=(8, 2.8), rot=0, color=["#4477aa", "#ee6677", "#ccbb44", "0.7"])
axes.axhline(0, color="black", linewidth=0.8)
axes.set(
    ylabel="gain in r over eng1000",
    title="Whatever copies BOLD gains, moments drawn by lot included",
)
plt.show()
wrong.round(3)

# %% [markdown]
# C has no language in it and gains all the same: it remembers its own past, and any feature made of past BOLD predicts it. In
# B the slow mean of its events is enough. A mean over the brain would show a gain for each of these matchers, also for the
# one that knows nothing.
#
# ## The right one
#
# Three controls stand between word vectors and a matcher.
#
# 1. **Drift**: slow changes of the voxel itself, without any match.
# 2. **The lag control** (`ngramlag`, `gimlag`): matches that lie as far back as the matcher's, and know nothing of the
#    words. A matcher is judged by what it adds to its own.
# 3. **Permuted matches**: each match goes to another row instead, lags kept. Do the particular moments matter?
#
# The models of the demo are built up so that each differs from the one before by one band:

# %%
steps = {
    "drift": ("drift", "eng1000"),
    "lag control": ("ngramlag", "drift"),
    "n-gram matches": ("ngram", "ngramlag"),
    "GIM's matches": ("gim", "gimlag"),
    "true earlier tellings": ("oracle", "oraclelag"),
}
right = pd.DataFrame(
    {name: by_region[more] - by_region[less] for name, (more, less) in steps.items()}
)
axes = right.T.plot.bar(figsize=(9, 3), rot=0, color=["#4477aa", "#ee6677", "#ccbb44", "0.7"])
axes.axhline(0, color="black", linewidth=0.8)
axes.set(
    ylabel="gain in r over the model before",
    title="Knowing which moment comes back helps in B alone",
)
plt.show()
right.round(3)

# %% [markdown]
# Of the gain in C nothing is left: drift explained it, and matches cost a little there. B is the only region in which it helps
# to know *which* moment comes back. Words tell it for half of the events, those that are told again word for word; `oracle`
# is told it for all.
#
# ## With an interval
#
# `gains.tsv` has every pair of models that differ in one band: the difference in cross-validated r, paired by story, over all
# voxels and in the tenth of them that the baseline predicts best.

# %%
gains = run.table("gains").query("subject != 'mean'")
pairs = pd.DataFrame(steps.values(), columns=["model", "over"])
gains.merge(pairs)[["band", "over", "gain", "gain_lo", "gain_hi"]].round(4)

# %% [markdown]
# ## Do the moments matter?
#
# The third control asks voxel by voxel, on the test stories. The share of voxels with p < 0.05, by region; where nothing is,
# chance gives 5 %:

# %%
tests = {
    name: run.statistics(name).test(f"matches/{name}")
    for name in ("random", "ngram", "gim", "oracle")
}
share = pd.DataFrame({name: test.p < 0.05 for name, test in tests.items()}).groupby(region).mean()
share.rename_axis("region").round(3)

# %% [markdown]
# ## What the verdict is made of
#
# The report of a run gives the same answer in words, from the same numbers. On the data of two real brains so far, little of what
# a matcher gains over word vectors remains beside these controls ([results](../results.md)). The equations, and the rules
# of what a prediction may know: [method](../method.md).

# %% tags=["remove-cell"]
best = ["n-gram matches", "true earlier tellings"]
assert (right.loc["B", best] > 0.03).all(), right
assert right.drop("B")[best].max().max() < 0.02, right
assert wrong.loc["C"].min() > 0.02, wrong
assert share.loc["B", ["ngram", "oracle"]].min() > 0.7, share
assert share.drop("B").max().max() < 0.12 and share.loc["B", "random"] < 0.12, share
