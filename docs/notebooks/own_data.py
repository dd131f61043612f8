# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Data of your own
#
# You have other stories, another scanner, another layout of files. The workflow reads them where they are, if a
# configuration says what is what. This page takes a small dataset as many laboratories have theirs, describes it, checks it,
# and shows what happens when something is wrong. All formats: [data](../data.md).

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipeline.config.load import complete, load
from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.simulation.example import write_example
from pipeline.validation.records import all_heard
from pipeline.validation.validate import validate
from pipeline.validation.volumes import count_volumes

folder = Path(tempfile.mkdtemp()) / "own"
write_example(folder)
for path in sorted(p for p in folder.rglob("*") if p.is_file()):
    print(path.relative_to(folder))

# %% [markdown]
# Whole runs as NIfTI under BIDS names, a brain mask, and what was heard as BIDS events, in which some rows are words:

# %%
events = pd.read_csv(folder / "stimuli/train01_events.tsv", sep="\t")
events.head()

# %% [markdown]
# ## What is what
#
# `config/own.yaml` describes this dataset, with a remark on every line; yours is best a copy of it. The parts that say where
# things lie and how the scan was timed:

# %%
config = load("../../config/own.yaml")
for key in ("transcripts", "responses", "mask", "timing"):
    print(key, {name: value for name, value in config[key].items() if value not in (None, {})})

# %% [markdown]
# ## Is it right?
#
# `snakemake validate --configfile config/own.yaml` reads every file before anything else is done. Here it is as one call. It
# gives warnings, or raises one error with everything that is wrong. (The first lines put the paths of the configuration where
# the dataset of this page lies.)

# %%
here = {"data_root": str(folder), "mask": {**config["mask"], "path": str(folder / "mask.nii.gz")}}
here["eng1000"] = {**config["eng1000"], "path": str(folder / "english1000sm.hf5")}
config = complete({**config, **here})
for warning in validate(config):
    print(str(warning).replace(str(folder), "OWN"))

# %% [markdown]
# Now let the download of one run have broken off, and one file lack its column of words. Both are told at once, with file,
# place and remedy:

# %%
damaged = [
    folder / "sub-SIM01/func/sub-SIM01_task-train02_bold.nii.gz",
    folder / "stimuli/train03_events.tsv",
]
whole = [path.read_bytes() for path in damaged]
damaged[0].write_bytes(whole[0][:10_000])
pd.read_csv(damaged[1], sep="\t").drop(columns="value").to_csv(damaged[1], sep="\t", index=False)
try:
    validate(config)
except ProblemError as error:
    told = str(error).replace(str(folder), "OWN")
    print(told)

for path, content in zip(damaged, whole, strict=True):
    path.write_bytes(content)

# %% [markdown]
# ## Words and volumes on one clock
#
# What no check can find is a clock that is off by a few seconds: the numbers come out all the same, only smaller. So look at
# it. Each response that is kept is a *row*; here are the words that fall into the first of them.

# %%
dataset = Dataset.from_config(config)
words = dataset.read_words("train01")
grid = dataset.grid_of("train01", count_volumes(dataset, all_heard(config))["train01"])
row = grid.row_of(words["onset"].to_numpy())
print(f"{grid.n_volumes} volumes of {grid.tr:g} s, of which {grid.n_rows} are kept")
said = words.assign(row=row).query("0 <= row < 6").groupby("row")["word"].apply(" ".join)
said.to_frame()

# %%
rate = np.bincount(row[(row >= 0) & (row < grid.n_rows)], minlength=grid.n_rows)
seconds = grid.volume_starts()[grid.kept]
figure, axes = plt.subplots(figsize=(9, 2.3), layout="constrained")
axes.step(seconds, rate, where="post", color="0.3")
axes.set(xlabel="seconds from the start of the sound", ylabel="words a TR", title="train01")
plt.show()

# %% [markdown]
# ## Run it
#
#     .venv/bin/python -m pipeline.example data/own
#     .venv/bin/snakemake --configfile config/own.yaml
#
# Half a minute later `results/own/report.html` is there. For a run of your own: [a first map](first_map.py) reads it.
#
# **Next.** [Controls, and why](controls.py): before a gain is called language.

# %% tags=["remove-cell"]
assert "train02_bold.nii.gz" in told and "train03_events.tsv" in told, told
validate(config)  # as it was
assert len(said) == 6 and rate.sum() > 50
