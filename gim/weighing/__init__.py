"""Evidence weighed instead of switched: a mixture of everything that speaks for the next token.

It uses `gim.infinigram`, `gim.encoder` and `gim.induction`. Begin with `model` (`WeightedGIM`,
which has the interface of `gim.induction.model.GIM`); `weights` says what the numbers of the
mixture mean, `fit` finds them on held-out documents, `evidence` names the passages behind a
probability, `reading` takes a text word by word, `sums` are over the vocabulary at many places.
"""
