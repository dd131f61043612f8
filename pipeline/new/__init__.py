"""Write a configuration for data as they lie there: `python -m pipeline.new`.

It uses the readers, `pipeline.config` and `pipeline.validation`. Begin with `command`, which goes
through the steps: `files` finds them, `names` tells whose and of what they are, `contents` looks
into them, `choices` makes what nobody said, `page` writes it with a comment for every guess.
"""
