"""Checks of the input before any long work: all problems at once, with file, place and remedy.

It uses `pipeline.config`, `pipeline.regions` and all below. Begin with `validate`; `dataset` checks
what everything rests on (`records` says what that is), `settings` the rest, and `manifest` says
which files there are.
"""
