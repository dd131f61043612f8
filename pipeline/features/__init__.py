"""Feature spaces of the words and of a subject's own past BOLD, one file a kind.

They use `pipeline.core`, `pipeline.dataset`, `pipeline.embedding` and `gim`. Begin with `base`
(`Kind`): a new module here that defines `KIND` is a new kind (docs/extending.md).
"""
