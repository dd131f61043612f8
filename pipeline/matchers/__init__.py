"""Matchers: which earlier TR of the story a TR is matched to, one file a way to choose it.

They use `pipeline.matching`, `pipeline.features.encoder`, `pipeline.dataset` and `gim`. Begin with
`ngram`: a new module here that defines `match` and `OPTIONS` is a new matcher (docs/extending.md).
It may also name the files that rules pass it (`RESOURCES`) and the options that a configuration
must set (`REQUIRED`).

`match(story, newest, rng, options) -> Matches` gets a `Story`, the newest row that each row may
match (`newest`, array of shape (n_rows,), negative where none may), a random generator of its own,
and its options. Candidates are the kept rows 0..newest[f] of the same story.
"""
