"""States of language models: each story is read once, for all bands that want the model's states.

It uses `gim` and `pipeline.dataset`. Begin with `reading`, which says what bands must have alike
to share a pass; `compute` makes the passes, `file` keeps what they gave, `resume` goes on after a
stop.
"""
