# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # GIM as a language model
#
# GIM, the Generalized Induction Head Model ([Kim, Mantena et al. 2025](https://arxiv.org/abs/2411.00066)), predicts the next
# word by copying: it looks for earlier places that are like the present one, and says what followed there. So every
# prediction has sources that can be shown. Nothing on this page knows of brains.

# %%
import matplotlib.pyplot as plt
import pandas as pd

from gim import GIM, Encoder, WeightedGIM, load_tokenizer, read_words
from gim.evaluation.explain import explain, to_terminal
from gim.weighing.weights import SOURCES

tokenizer, encoder = load_tokenizer(), Encoder.from_pretrained()

# %% [markdown]
# ## A prediction and its source
#
# Two ways to copy. *Exact* induction wants the same tokens in a row before, at least `tau` of them. Where there are not, *fuzzy*
# induction lets all earlier places vote, by how alike their states are to the present one. The states are those of a small
# encoder that ships with the package.

# %%
gim = GIM(tokenizer, encoder=encoder, tau=2)
text = (
    "The old sailor hid the ring in the church, and nobody saw him do it. "
    "Many years later a boy came to the village and asked: why had the old sailor hid the ring"
)
prediction = gim.predict(tokenizer.encode(text))
print(prediction.source, "induction answers:", prediction.why)
for token, p in zip(prediction.ids[:3], prediction.probabilities[:3], strict=False):
    print(f"{p:.2f}  {tokenizer.decode([int(token)])!r}")

# %% [markdown]
# Token by token, the end of that text: `+` if the token was predicted, the token, the best guess, who answered, the effective
# n (the length of the match and one), the probability of the token that came, and the passage copied from, with the vote
# between `> <`.

# %%
print(to_terminal(explain(gim, text)[-9:]))

# %% [markdown]
# ## All evidence, weighed
#
# As published, GIM switches: one component answers, and what it does not propose has probability zero. `WeightedGIM` weighs
# the same passages instead. No word is impossible, and the share of every source is known. With a corpus
# (`gim index`, `InfiniGram`) there would be two sources more, `ngrams` and `longest`; here the text is all there is.

# %%
weighted = WeightedGIM(tokenizer, encoder=encoder)
stream = weighted.stream()
stream.extend(tokenizer.encode(text))
best = int(stream.distribution().argmax())
found = stream.explain(best)
print(f"{tokenizer.decode([best])!r}: p = {found.probability:.3f}")
pd.Series(found.sources, name="of which").round(4).to_frame()

# %% [markdown]
# ## How a reader gets used to a text
#
# `read_words` goes through a text word by word. *Surprisal* is minus the log probability of the word that came. The end of
# this text says again what its beginning said:

# %%
words = text.lower().replace(",", "").replace(".", "").replace(":", "").split()
reading = read_words(weighted, words)
figure, (above, below) = plt.subplots(2, 1, figsize=(10, 4.6), sharex=True, layout="constrained")
above.bar(range(len(words)), reading.surprisal, color="0.4")
above.set(ylabel="surprisal, nats", title="What was said before is less surprising")
bottom = 0 * reading.surprisal
for source, share in zip(SOURCES, reading.shares.T, strict=True):
    if share.any():
        below.bar(range(len(words)), share, bottom=bottom, label=source)
        bottom = bottom + share
below.set(ylabel="share of the probability", xlim=(-0.6, len(words) - 0.4))
below.set_xticks(range(len(words)), words, rotation=70, ha="right", fontsize=8)
below.legend(loc="upper left", ncols=4, fontsize=8)
plt.show()

# %%
again = pd.Series(words).duplicated()
means = pd.Series(reading.surprisal).groupby(again.map({True: "said before", False: "new"})).mean()
means.round(1).rename("mean surprisal, nats").to_frame()

# %% [markdown]
# ## Elsewhere
#
# On the command line: `gim explain "..."`, `gim read FILE --html page.html` (a page on which every word shows its passages),
# `gim eval`. How good it is beside n-gram models and neural ones, on held-out books, encyclopaedia and talks:
# [results](../results_lm.md). The whole library: [the language model](../language_model.md).
#
# What GIM makes of every word can be a feature space of an encoding model, in the workflow (`induction`) and as a
# scikit-learn transformer: [GIM in himalaya](column_kernelizer.py).

# %% tags=["remove-cell"]
assert prediction.source == "exact" and tokenizer.decode([prediction.top]) == " in", prediction
assert means["said before"] < means["new"] - 1, means
assert abs(sum(found.sources.values()) - found.probability) < 1e-6
