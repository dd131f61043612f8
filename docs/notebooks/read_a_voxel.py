# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Read a voxel
#
# A fitted model is more than a score. Its weights say which words excite a voxel, and when it answers. This page takes one
# voxel of a finished run and reads it. (`make demo` makes the run; [a first map](first_map.py) shows what is in it.)

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from nilearn import plotting

from pipeline import Run
from pipeline.core.series import pearson
from pipeline.tuning.meaning import predicted_voxels

run = Run("../../results/demo")

# %% [markdown]
# ## Which voxels may be read?
#
# A voxel that the model does not predict has weights all the same, and they mean nothing. So first: which ones does it
# predict? The cross-validated r of the training stories tells, at a false discovery rate of 5 %. The test stories choose
# nothing.

# %%
scores = run.scores("eng1000")
predicted = predicted_voxels(scores.r_train, 0.05)
voxel = int(np.nanargmax(np.where(predicted, scores.r_cv, np.nan)))
print(f"{predicted.sum()} of {len(predicted)} voxels are predicted")
print(f"the best of them, {voxel}: r = {scores.r_cv[voxel]:.2f} in cross-validation")

# %% [markdown]
# ## Its weights
#
# The configuration names the models whose weights are kept (`keep.models`). A band has a weight for each of its columns
# at each delay, as the blood answers seconds after the word. Here the 985 columns of the word vectors have been reduced
# to 40 components.

# %%
band = run.bands("eng1000")["eng1000"]
weights = run.weights("eng1000", voxel=voxel)["eng1000"]
print("(delays, columns):", weights.shape, "- delays in TRs:", list(band.delays))

# %% [markdown]
# ## Which words excite it?
#
# Weights, averaged over delays and projected back onto word vectors, give each word of the stories a response. The ends of
# that list are how a voxel is read. Synonyms should come together, and they do:

# %%
most, least = run.words("eng1000", voxel, n=12)
pd.DataFrame({"excite it most": most, "and least": least})

# %% [markdown]
# ## When does it answer?
#
# The weights over delays, taken as one course that all columns share, are the voxel's haemodynamic response. That of the
# simulation has its peak at 5 s.

# %%
timing = run.timing("eng1000", voxel=[voxel])
seconds = np.array(band.delays) * run.config["timing"]["tr"]
figure, axes = plt.subplots(figsize=(5, 2.6), layout="constrained")
axes.plot(seconds, timing.course[:, 0], "o-", color="0.2")
axes.axvline(timing.peak[0], color="tab:orange", label=f"peak: {timing.peak[0]:.1f} s")
axes.set(xlabel="seconds after the word", ylabel="weight (norm 1)")
axes.legend()
plt.show()

# %% [markdown]
# ## What does it say to a story?
#
# `run.predict` gives the responses to any transcript, also one that nobody has heard:
# `run.predict("eng1000", "NEW.TextGrid")`. For a story of the run it is the prediction that the run was judged by.

# %%
story = run.stories()["test"][0]
response, prediction = run.responses(story), run.predict("eng1000", story=story)
r = pearson(prediction, response)
figure, axes = plt.subplots(figsize=(9, 2.6), layout="constrained")
minutes = np.arange(len(response)) * run.config["timing"]["tr"] / 60
axes.plot(minutes, response[:, voxel], color="0.6", label="measured")
axes.plot(minutes, prediction[:, voxel], color="tab:blue", label="predicted")
axes.set(
    xlabel=f"minutes of {story}", ylabel="BOLD, sd", title=f"voxel {voxel}: r = {r[voxel]:.2f}"
)
axes.legend(loc="upper right")
plt.show()

# %% [markdown]
# ## All voxels at once
#
# Without `voxel`, the same calls answer for the whole brain. The time of the peak, where there is something to time:

# %% tags=["remove-stderr"]
peak = run.timing("eng1000").peak
display = plotting.plot_stat_map(
    run.map(np.where(predicted, peak, np.nan)),
    display_mode="x",
    cut_coords=(-40, -20, 0, 20, 40),
    cmap="viridis",
    vmin=4,
    vmax=6,
    symmetric_cbar=False,
    title="seconds to the peak",
)
plotting.show()
print(f"median over predicted voxels: {np.median(peak[predicted]):.1f} s")

# %% [markdown]
# Axes of meaning over the cortex, and regions read like voxels, are among the files of the run ([weights](../weights.md)).
#
# **Next.** [Features of your own](own_features.py), with names that stay readable.

# %% tags=["remove-cell"]
truth = run.regions()["truth"]
assert (truth[predicted] == "A").mean() > 0.9
assert (predicted[truth == "A"]).mean() > 0.9
assert abs(np.median(peak[predicted]) - 5) < 0.5
assert r[voxel] > 0.5
saved = run.fit("eng1000").predictions()[story]
assert np.abs(prediction - saved).max() < 1e-3
