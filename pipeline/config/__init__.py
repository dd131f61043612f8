"""The configuration: read, completed with its defaults, and checked against itself.

It uses `pipeline.bands` and all below. Begin with `load`; `addresses` says what may
be sent to servers, `check` looks at what somebody else wrote, `page` writes docs/configuration.md.
"""
