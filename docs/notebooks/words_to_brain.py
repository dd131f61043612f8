# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # From words to the brain
#
# Six steps on one page: predict words by copying, ask what copying makes of a story, find for each moment of it the
# earlier moment that is like it, predict the brain with what came after that moment, and see where it helps.
#
# The brain is simulated, so the truth is known: voxels of region A follow the words' meaning, of **B** the story's
# events (what an event evokes can only be learned from its earlier telling), of C their own past, of D nothing
# ([the simulated subject](../simulation.md)). It is small, so that all of this takes seconds. The
# [README](../../README.md) has the command that does it at full size.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

pd.set_option("display.max_colwidth", 60)

# %% [markdown]
# ## 1. GIM, a language model that shows its sources
#
# GIM copies the next token from the earlier place that ends like the text so far: word for word if the match is long
# enough (`tau` tokens, exact induction), else from all places by how alike they are to a small encoder (fuzzy induction).

# %%
from gim import GIM, Encoder, load_tokenizer
from gim.evaluation.explain import explain, to_terminal

tokenizer, encoder = load_tokenizer(), Encoder.from_pretrained()
gim = GIM(tokenizer, encoder=encoder, tau=2)

text = (
    "The old sailor hid the ring in the church, and nobody saw him do it. "
    "Many years later a boy came to the village and asked: why had the old sailor hid the ring"
)
print(to_terminal(explain(gim, text)[-8:]))

# %% [markdown]
# A line a token: `+` if it was predicted, the token, GIM's best guess, which component answered, the effective n, the
# probability of the token that came, and the passage copied from, with the vote between `> <`. The same as numbers:

# %%
prediction = gim.predict(tokenizer.encode(text))
print(prediction.source, "answers:", prediction.why)
for token, p in zip(prediction.ids[:3], prediction.probabilities[:3], strict=False):
    print(f"{p:.2f}  {tokenizer.decode([int(token)])!r}")

# %% [markdown]
# ## 2. A subject who listened to stories
#
# `simulate` writes a dataset in the layout of ds003020. From here on nothing knows that it is not real. The
# configuration is that of a run of the workflow: bands of features, and models made of bands.

# %%
from pipeline.config.load import complete
from pipeline.dataset.dataset import Dataset
from pipeline.dataset.story import read_stories, read_story
from pipeline.simulation.settings import Settings, story_names
from pipeline.simulation.simulate import simulate

settings = Settings(n_train=8, n_test=2, rows=(150, 200), n_voxels=300, n_repeats=0)
root = Path(tempfile.mkdtemp())
simulate(root, ["SIM01"], settings, seed=0)

train, test = story_names(settings)
models = {
    "eng1000": ["eng1000"],
    "drift": ["eng1000", "drift"],
    "ngramlag": ["eng1000", "drift", "ngramlag"],
    "ngram": ["eng1000", "drift", "ngramlag", "ngram"],
}
config = complete(
    {
        "name": "tutorial",
        "data_root": str(root),
        "subjects": {"SIM01": {}},
        "stories": {"train": train, "test": test},
        "features": {"eng1000": {"n_components": 20}, "drift": {}, "ngram": {}, "ngramlag": {}},
        "models": models,
    }
)
dataset = Dataset.from_config(config)
words = read_stories(dataset, [*train, *test])
stories = {name: read_story(dataset, words, name) for name in [*train, *test]}
bold = {name: dataset.read_responses("SIM01", name) for name in stories}
print(len(words), "words; responses of", test[0], "(TRs, voxels):", bold[test[0]].shape)
words.head()

# %% [markdown]
# ## 3. What copying makes of a story
#
# How surprising was each word to a reader who can only copy from the story so far, and was it part of something said
# before? These features come from the words alone; no BOLD enters.

# %%
from gim.induction.reading import read

story = stories[test[0]]
reading = read(story.words["word"].tolist(), encoder, tau=2)
seconds = story.words["onset"]

figure, axes = plt.subplots(figsize=(9, 2.5), layout="constrained")
axes.plot(seconds, pd.Series(reading.surprisal).rolling(10, center=True).mean(), color="0.3")
axes.fill_between(
    seconds,
    0,
    1,
    where=reading.repeats(3),
    transform=axes.get_xaxis_transform(),
    color="tab:orange",
    alpha=0.4,
    step="mid",
    label="three words in a row said before",
)
axes.set(xlabel="seconds of the story", ylabel="surprisal, nats", xlim=(0, seconds.max()))
axes.set_title(f"{test[0]}: surprise falls where the story repeats itself (mean of 10 words)")
axes.legend(loc="upper right")
plt.show()

# %% [markdown]
# ## 4. Which earlier moment is this one like?
#
# A matcher points from each row (TR) to an earlier row. `ngram` wants the same words; `gim` compares states of the
# encoder. A match must be old enough: what is copied are the three TRs of BOLD after it, and none of them may be newer
# than the horizon allows ([method](../method.md#induction-matching)).

# %%
from pipeline.bands.compute import story_matches
from pipeline.bands.registry import band_options
from pipeline.matching.matches import NO_MATCH

options = band_options(config, "ngram")
matched = story_matches(story, "SIM01", "ngram", options, seed=0)
table = pd.DataFrame(
    {
        "row": matched.row,
        "matches row": matched.match_row,
        "lag": matched.row - matched.match_row,
        "words in common": matched.similarity,
        "which": matched.words,
    }
)[matched.match_row != NO_MATCH]
table.sort_values("words in common", ascending=False).head(6)

# %% [markdown]
# ## 5. Predict the brain
#
# The features of a match are how the BOLD changed after it, in the leading principal components of the training stories. They
# are useful in themselves, as BOLD drifts and lasts; so `ngramlag`, the control, copies from other moments that lie
# as far back. Only what `ngram` adds to that comes from *which* moment was matched. Each band has its own
# regularisation; it is chosen for each voxel on whole stories held out.

# %%
from pipeline.bands.compute import band_features
from pipeline.bands.registry import kind_of
from pipeline.core.series import pearson
from pipeline.dataset.basis import fit_basis
from pipeline.fit.cross_validation import make_solver
from pipeline.fit.design import Design, make_band
from pipeline.fit.options import Alphas, training_folds
from pipeline.fit.regression import Regression
from pipeline.matchers.lag import control
from pipeline.matching.matches import newest_match

basis = fit_basis(dataset, "SIM01", train, 15)
scores = {name: basis.scores(responses) for name, responses in bold.items()}
found = {s: story_matches(story, "SIM01", "ngram", options, seed=0) for s, story in stories.items()}
newest = {s: newest_match(len(y), options.matching) for s, y in bold.items()}
redrawn = control(found, newest, train, seed=0, name="ngramlag", draws=20, bins=10)
matches = {"ngram": found, "ngramlag": redrawn}


def make(name):
    """A band: features of every story, scaled, with their delays."""
    options = band_options(config, name)
    resources = {"eng1000": str(dataset.eng1000)}
    values = {
        s: kind_of(options.kind).compute(story, {**options.own, **resources})
        if options.source == "stimulus"
        else band_features(options, scores[s], matches.get(name, {}).get(s))
        for s, story in stories.items()
    }
    return make_band(name, values, options, config["delays"], train)


bands = {name: make(name) for name in config["features"]}
folds = training_folds(train, {s: len(bold[s]) for s in train}, 3, seed=0)
r = {}
for model, names in models.items():
    regression = Regression(
        Design(tuple(bands[name] for name in names)),
        {s: bold[s] for s in train},
        folds,
        Alphas(**config["fit"]["alphas"]).values(),
        config["fit"]["refinements"],
    )
    ridge = make_solver("gram", regression).fit(exclude=None)
    predicted = {s: ridge.predict(regression.design.rows(s)) for s in test}
    r[model] = np.mean([pearson(predicted[s], bold[s]) for s in test], axis=0)

# %% [markdown]
# ## 6. Where does it help?
#
# Here alone the truth is looked at: the region that each voxel really belongs to.

# %%
from pipeline.regions.labels import read_truth

table = pd.DataFrame(r).groupby(read_truth(dataset.truth, "SIM01")).mean()
axes = table.plot.bar(figsize=(9, 3), rot=0, color=["0.75", "0.55", "tab:blue", "tab:orange"])
axes.set(xlabel="true region", ylabel="mean r, test stories")
axes.set_title("Knowing which moment comes back helps in B, where responses recur")
axes.axhline(0, color="black", linewidth=0.8)
plt.show()
table.round(3)

# %%
gain = table["ngram"] - table["ngramlag"]  # what the moments add to knowing how far back they lie
gain.round(3)

# %% [markdown]
# The matched moments are worth something in B alone. In C, which remembers its own past, the control is the better one,
# likely as the average of many moments is close to the drift. That is why a matcher is judged by what it adds to its control.
#
# **What next.** `make demo` does this with all matchers, 1,886 voxels, maps, tests of significance and a report. Your own
# stories: [data](../data.md). What happened on real brains, where little of the gain is language: [results](../results.md).

# %% tags=["remove-cell"]
assert gain["B"] > 0.04 and gain.drop("B").max() < 0.02, gain
