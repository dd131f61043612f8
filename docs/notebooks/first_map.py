# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A first map
#
# Somebody listens to stories in the scanner. An *encoding model* predicts what each voxel does from what is heard, and
# is judged on stories that it was not fitted to. Here is a finished run of such models, read and drawn in a dozen lines.
#
# The run is that of `make demo`, which takes a few minutes. Its subject is simulated, so that the truth is known: voxels
# of region A follow the meaning of the words, B the events of the story, C their own past, D nothing
# ([the simulated subject](../simulation.md)). Nothing below depends on that; a run of real data is read in the same way.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from nilearn import plotting

from pipeline import Run

run = Run("../../results/demo")
print("subjects:", *run.subjects)
print("models:  ", *run.models)
print("stories: ", {part: len(stories) for part, stories in run.stories().items()})

# %% [markdown]
# ## How well does each model do?
#
# A model is a list of feature spaces, called *bands*. The baseline, `eng1000`, has one: a vector of 985 numbers for each
# word, alike for words that are used alike.
#
# `r_mean` is the correlation of prediction and response on the test stories, averaged over voxels. A few test stories
# cannot tell models apart. `delta_eng1000` can: the difference to the baseline in the cross-validated r of the
# *training* stories, in the tenth of the voxels where the baseline is best, with its 95 % interval over stories.

# %%
summary = run.table("summary").query("subject != 'mean'").set_index("model")
summary[["bands", "r_mean", "delta_eng1000", "delta_lo", "delta_hi"]].round(3)

# %% [markdown]
# ## One number a voxel
#
# `run.scores(model)` has the correlations of every voxel. Most voxels of this brain do not care for the meaning of words,
# and those that do are a group of their own:

# %%
r = run.scores("eng1000").r
figure, axes = plt.subplots(figsize=(7, 2.5), layout="constrained")
axes.hist(r, bins=60, color="0.4")
axes.set(xlabel="r of eng1000, mean over the test stories", ylabel="voxels")
plt.show()

# %% [markdown]
# ## The map
#
# `run.map` puts numbers back into the brain. It gives a NIfTI image, so whatever reads those can draw it.

# %% tags=["remove-stderr"]
display = plotting.plot_stat_map(
    run.map("eng1000"),
    display_mode="x",
    cut_coords=(-40, -20, 0, 20, 40),
    cmap="cividis",
    vmin=0,
    vmax=1,
    symmetric_cbar=False,
    title="eng1000: r on the test stories",
)
plotting.show()

# %% [markdown]
# ## Which of it is more than chance?
#
# The test shifts predictions against responses in blocks, many times, and asks how often a voxel's r would be as large
# ([statistics](../statistics.md)). `q` is corrected for the number of voxels. Any vector over voxels can be a map: here r
# where q < 0.05.

# %% tags=["remove-stderr"]
test = run.statistics("eng1000").test()
found = test.q < 0.05
print(f"{found.sum()} of {len(r)} voxels, q < 0.05")
display = plotting.plot_glass_brain(
    run.map(np.where(found, r, 0)),
    threshold=0.01,
    colorbar=True,
    cmap="cividis",
    vmin=0,
    vmax=1,
    title="eng1000: r where q < 0.05",
)
plotting.show()

# %% [markdown]
# ## Where is it?
#
# `run.regions()` tells the region of every voxel, in each parcellation that the configuration names. Of this subject the
# true one is known:

# %%
table = pd.DataFrame({"r": r, "q < 0.05": found}).groupby(run.regions()["truth"])
table = table.mean().rename_axis("region")
table.round(3)

# %% [markdown]
# Region A is found, and nothing else to speak of. B is driven by the story, too, but by its events, which no list of word
# vectors knows.
#
# **Next.** [Read a voxel](read_a_voxel.py): which words excite it, and when it answers. The report of the run,
# `results/demo/report.html`, has all this for every model ([how to read it](../report.md)).

# %% tags=["remove-cell"]
assert table.loc["A", "r"] > 0.5 and table.drop("A")["r"].abs().max() < 0.1, table
assert table.loc["A", "q < 0.05"] > 0.9 and table.drop("A")["q < 0.05"].max() < 0.15, table
