"""The configuration: read, completed with its defaults, and checked against itself.

It uses `pipeline.bands` and all below. Begin with `load`; `page` writes docs/configuration.md.
"""
